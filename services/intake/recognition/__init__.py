"""How the files of each family are told, by name and first bytes. One family a module, one function each."""
