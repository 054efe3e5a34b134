"""`python -m stdm_platform` is the `stdm` command."""

from stdm_platform.cli import main

if __name__ == "__main__":
    main()
