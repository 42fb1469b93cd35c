"""How CMS's report is held against what alignment's own predicates say."""
