"""What the claims about speed and accuracy are measured with. Run `./run bench`."""
