"""For robot programs: say something to the perception node, and get what was meant as masks and words.

```python
import rclpy
from pixelrs_ros.client import PixelrsClient

rclpy.init()
robot = PixelrsClient()
robot.wait_until_ready(timeout_s=60.0)
answer = robot.ground("the red mug", timeout_s=5.0)
if answer.masks:
    print(answer.text, answer.masks[0].shape)
```

Every call has two forms. `ground`, `say` and `reset` wait for the answer; `ground_async`, `send` and `reset_async`
return at once with something that can be awaited. The waiting ones spin the node themselves. A robot whose node is spun
in another thread says `PixelrsClient(node, spin=False)`; in the callbacks of that node, only the others may be called.
"""

from pixelrs_ros.client.answers import Answer, NoAnswerError, PendingAnswer
from pixelrs_ros.client.pixelrs_client import RELIABLE, PixelrsClient
from pixelrs_ros.mask_codes import mask_of

__all__ = ["RELIABLE", "Answer", "NoAnswerError", "PendingAnswer", "PixelrsClient", "mask_of"]
