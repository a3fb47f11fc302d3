"""What measures and checks the nodes from outside: benchmark, soak, doctor, processes."""
