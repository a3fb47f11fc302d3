"""The operator page, in the browser: a local web page with NiceGUI. What it knows of the robot is `ros/console`'s."""
