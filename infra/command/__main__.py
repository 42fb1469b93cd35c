"""``python -m infra.command``: the same as ``tandem``, for processes that start others."""

from infra.command.main import main

if __name__ == "__main__":
    main()
