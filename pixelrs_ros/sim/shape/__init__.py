"""What things are made of: meshes, shape families, colors, patterns."""
