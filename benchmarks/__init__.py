"""What Sceneshift costs and how fast it is, beside yardsticks measured in the same run: `make bench`."""
