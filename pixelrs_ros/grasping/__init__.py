"""How a parallel gripper can take hold of a part that the camera sees: proposals of grasps from points, numpy only."""
