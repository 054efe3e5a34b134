"""An org that changes under a running platform: what is noticed, by what, and what stays as it was."""
