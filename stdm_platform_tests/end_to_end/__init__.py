"""What the platform promises its users, proven through the `stdm` command on a sandbox org."""
