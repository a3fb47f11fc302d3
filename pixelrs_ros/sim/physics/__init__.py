"""What happens on the table: things with mass and friction, and a gripper that closes and lifts."""
