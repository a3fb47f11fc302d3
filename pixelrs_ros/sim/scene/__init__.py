"""Which things stand where on which table, in what light, seen from where."""
