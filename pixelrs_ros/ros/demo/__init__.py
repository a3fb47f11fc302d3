"""The demo around the robot: simulated camera, operator, planner, chat and report."""
