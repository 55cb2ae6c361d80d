"""`python -m service.cli` is `factcheck`."""

from service.cli import main

if __name__ == "__main__":
    main()
