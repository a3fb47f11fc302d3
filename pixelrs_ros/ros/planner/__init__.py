"""An example of who makes use of the answers: a planner that grasps what was meant."""
