"""What the operator page knows of the robot: pictures, dialogues, diagnostics. No page, and nothing of a web server."""
