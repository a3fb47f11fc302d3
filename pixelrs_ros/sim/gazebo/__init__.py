"""Scenes as worlds for Gazebo, and a reader of those worlds that needs no Gazebo."""
