"""What `pixelrs doctor` looks at: small checks, each a function that returns a finding."""
