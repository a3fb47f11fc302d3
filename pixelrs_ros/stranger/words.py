"""What people say, written by hand. {x} is "the red mug", {a} "a red mug", {y} another thing, {part} a part."""

from __future__ import annotations

FILLERS = ("Um, ", "Okay, ", "Robot, ", "Well, ", "Hey robot, ", "So, ", "Right, ", "Listen, ")
OPENERS = (
    "hey",
    "hello",
    "hi",
    "ok",
    "okay",
    "good",
    "no",
    "oops",
    "hmm",
    "wait",
    "sorry",
    "thanks",
    "great",
    "actually",
)
ORDERS = (
    "Give me {x}.",
    "Please hand me {x}.",
    "Could you pass me {x}?",
    "Can you get {x} for me?",
    "Grab {x}.",
    "Pick up {x}, please.",
    "I want {x}.",
    "I'd like {x}, please.",
    "Bring {x} over here.",
    "Take {x}.",
    "{x}",
    "{x}, please.",
    "Point at {x}.",
    "Show me {x}.",
    "Mark {x} in the picture.",
    "Would you mind fetching {x}?",
    "Let me have {x}.",
    "Reach for {x}.",
    "Hey, get me {x} real quick.",
    "OK robot, lift {x}.",
    "I'm looking for {x}.",
    "I can't find {x}, can you?",
    "Highlight {x}.",
    "Segment {x}.",
    "Find {x}.",
    "We need {x} now.",
    "Do me a favor and hold {x}.",
    "Let's start with {x}.",
    "Put your gripper on {x}.",
    "Have you seen {x}? I need it.",
    "Move {x} out of the way.",
    "Go for {x}.",
)
ORDERS_FOR_ANY = (
    "I need {a}.",
    "Can you find {a} for me?",
    "Hand me {a}.",
    "Look for {a}.",
    "Pass me {a}, would you?",
    "Get {a}.",
    "I could use {a}.",
)
WHERE = (
    "Where is {x}?",
    "Where's {x}?",
    "Where did {x} go?",
    "Tell me where {x} is.",
    "Do you know where {x} is?",
    "Can you see where {x} is?",
)
COLOR_ONLY = ("the {color} one", "the {color} thing", "the {color} object", "the {color} item")
SYNONYMS = {
    "mug": ("cup", "coffee cup"),
    "pan": ("frying pan", "skillet"),
    "can": ("tin can", "tin"),
    "lamp": ("table lamp",),
    "box": ("carton",),
}

PLACES = {
    "left": (
        "Give me {n} on the far left.",
        "Take {n} furthest to the left.",
        "The leftmost {k}, please.",
        "Could I have the {k} at the left end?",
        "Pick the {k} that is most to the left.",
    ),
    "right": (
        "Give me {n} on the far right.",
        "Grab {n} all the way to the right.",
        "The rightmost {k}, please.",
        "Show me {n} at the right end.",
        "I want the {k} that is furthest right.",
    ),
    "front": (
        "Give me the nearest {k}.",
        "Take the {k} closest to you.",
        "The {k} at the front, please.",
        "Pick the frontmost {k}.",
        "Which {k} is closest to the camera? Get that one.",
    ),
    "back": (
        "Give me the {k} at the very back.",
        "Reach for the farthest {k}.",
        "The {k} furthest away from you, please.",
        "Show me the {k} in the back.",
        "Get the rearmost {k}.",
    ),
    "middle": (
        "Take the {k} in the middle.",
        "The middle {k}, please.",
        "Counting from the left, I want the {k} right in the middle.",
        "Give me the {k} that stands between the others.",
    ),
    "second left": (
        "Give me the second {k} from the left.",
        "The {k} that is second from the left, please.",
        "Count from the left and take {k} number two.",
    ),
    "second right": (
        "Give me the second {k} from the right.",
        "The second {k} from the right side, please.",
    ),
}
PAIR_PLACES = {
    "left": ("Give me the left {k}.", "The {k} on the left, please.", "I want the left-hand {k}."),
    "right": ("Give me the right {k}.", "The {k} on the right, please.", "Take the right-hand {k}."),
    "front": ("Give me the front {k}.", "The nearer {k}, please.", "Take the {k} in front."),
    "back": ("Give me the back {k}.", "The {k} farther away, please.", "Get the {k} behind the other one."),
}
RELATIONS = {
    "near": (
        "Give me the {k} next to {y}.",
        "What I want is the {k} right beside {y}.",
        "Take the {k} that is closest to {y}.",
        "Hand me the {k} by {y}.",
        "The {k} near {y}, please.",
    ),
    "left of": (
        "Get the {k} to the left of {y}.",
        "Pick up the {k} left of {y}.",
        "See {y}? I want the {k} on its left.",
        "The {k} on the left side of {y}, please.",
    ),
    "right of": (
        "Get the {k} to the right of {y}.",
        "Pick up the {k} right of {y}.",
        "See {y}? I want the {k} on its right.",
        "Give me the {k} on the right side of {y}.",
    ),
    "behind": (
        "Show me the {k} behind {y}.",
        "There's a {k} behind {y}, get it.",
        "I need the {k} that is in back of {y}.",
        "The {k} just behind {y}, please.",
    ),
    "in front of": (
        "Show me the {k} in front of {y}.",
        "There's a {k} in front of {y}, get it.",
        "Give me the {k} that stands before {y}.",
    ),
}
SIZES = {
    "biggest": (
        "Give me the biggest {k}.",
        "The largest {k}, please.",
        "I want the {k} that is bigger than all the others.",
        "Which {k} is the largest? Take it.",
    ),
    "smallest": (
        "Give me the smallest {k}.",
        "The tiniest {k}, please.",
        "Pick up the {k} that is smaller than the rest.",
        "Find me the littlest {k}.",
    ),
    "bigger": ("Give me the bigger {k}.", "The large {k}, please.", "Take the big {k}, not the small one."),
    "smaller": ("Give me the smaller {k}.", "The small {k}, please.", "Take the little {k}, not the big one."),
}
PARTS = (
    "Show me {part} of {x}.",
    "Where is {part} of {x}?",
    "Touch {part} of {x}.",
    "Point to {part} of {x}.",
    "Grip {x} by {part}.",
    "Take hold of {part} of {x}.",
    "I need to see {part} of {x}.",
    "{part} of {x}, please.",
    "Mark only {part} of {x}.",
    "Find {part} on {x}.",
)
BARE_PARTS = (
    "Show me {part}.",
    "Where is {part}?",
    "Touch {part}, please.",
    "Highlight {part}.",
    "Put a finger on {part}.",
)
PURPOSE_PARTS = {
    ("hammer", "handle"): ("Show me where I hold {x}.", "Where do I grip {x}?"),
    ("hammer", "head"): ("Which part of {x} hits the nail?", "Show me the heavy end of {x}."),
    ("knife", "handle"): ("Where can I safely hold {x}?", "Show me where my hand goes on {x}."),
    ("knife", "blade"): ("Show me the part of {x} that cuts.", "Which part of {x} must I not touch?"),
    ("mug", "handle"): ("Where do my fingers go on {x}?", "Show me where to hold {x} when it is hot."),
    ("pan", "handle"): ("Where should I grab {x} when it is hot?", "Show me where I hold {x}."),
    ("bottle", "cap"): ("What do I unscrew to open {x}?", "Show me what closes {x}."),
    ("screwdriver", "shaft"): ("Show me the metal rod of {x}.",),
    ("screwdriver", "handle"): ("Show me where I hold {x}.", "Where do I grip {x} to turn it?"),
    ("spoon", "handle"): ("Where do I hold {x}?",),
    ("spoon", "bowl"): ("Which part of {x} holds the soup?", "Show me the end of {x} that goes into the mouth."),
    ("brush", "bristles"): ("Show me the hairs of {x}.", "Which part of {x} is hairy?"),
    ("brush", "handle"): ("Where do I hold {x}?",),
    ("box", "lid"): ("What do I lift to open {x}?", "Show me the top that covers {x}."),
    ("teapot", "spout"): ("Where does the tea come out of {x}?", "Show me the part of {x} that pours."),
    ("teapot", "lid"): ("What do I lift to fill {x}?",),
    ("lamp", "shade"): ("Which part of {x} covers the bulb?",),
    ("lamp", "base"): ("What does {x} stand on?", "Show me the foot of {x}."),
    ("book", "pages"): ("Show me the paper inside {x}.",),
    ("basket", "handle"): ("Where do I carry {x} by?", "Show me the hoop of {x}."),
}
# By the kind that is meant: kinds that some people would take too, and the words.
WISHES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "knife": ((), ("I need something to cut with.", "What can I slice the bread with?", "How do I get this rope cut?")),
    "hammer": ((), ("I have to drive a nail into the wall.", "Something to pound with, please.")),
    "spoon": ((), ("I want to stir my soup.", "Give me something to eat yogurt with.", "What can I stir with?")),
    "mug": (
        ("bottle", "can", "bowl", "teapot"),
        ("I want to drink my coffee out of something.", "Something for a hot chocolate, please."),
    ),
    "screwdriver": (("knife",), ("This screw is loose, help me.", "I need something to tighten a screw with.")),
    "pan": (("bowl",), ("I'm going to fry an egg.", "What can I make pancakes in?", "Something for frying, please.")),
    "book": ((), ("I'd like something to read.", "I'm bored, give me something to read.", "What can I read here?")),
    "lamp": ((), ("It is too dark, I need some light.", "Something that gives light, please.")),
    "ball": ((), ("The dog wants to play fetch.", "Give me something to throw and catch.", "Something that bounces.")),
    "brush": ((), ("I need something with bristles.", "Help me brush the dust off.")),
    "basket": (("box", "bowl"), ("I'm going to pick apples, what do I carry them in?", "Something for a picnic.")),
    "teapot": (("pan", "mug"), ("I want to brew some tea.", "What do I make tea in?")),
    "bottle": (("can", "mug", "teapot"), ("I'd like to take water along on a hike.",)),
    "bowl": (("pan", "mug", "basket"), ("What can I eat my cereal from?", "Something for the salad, please.")),
}

ANSWERS_WHICH = (
    "{x}",
    "{x}.",
    "{x}, please.",
    "I mean {x}.",
    "Take {x}.",
    "I'd say {x}.",
    "Let's take {x}.",
    "Make it {x}.",
)
OTHERS = (
    "The other one.",
    "And the other one?",
    "No, the other one.",
    "Now the other {k}.",
    "Give me the other {k} too.",
    "Not that {k}, the other one.",
)
CORRECTIONS = (
    "No, {x}.",
    "No, {x}, please.",
    "Sorry, I meant {x}.",
    "Wrong one, I want {x}.",
    "Not that, {x}.",
    "Actually, {x}.",
    "Hmm, no, rather {x}.",
    "Oops, I should have said {x}.",
    "Wait, {x} instead.",
)
ITS = (
    "Show me its {part}.",
    "Now its {part}.",
    "And where is its {part}?",
    "Touch its {part}.",
    "What about its {part}?",
    "Just the {part} of it.",
)
ITS_HANDLE = (
    "Hold it by the handle.",
    "Where do I hold it?",
    "Where can I grab it?",
    "By which part should I carry it?",
)
WHOLES = ("Now all of it.", "Now pick the whole thing up.", "Give it to me.", "OK, hand it over.")

GREETINGS = {
    "Hello!": "Hello! How can I help?",
    "Hi there.": "Hi! What can I do for you?",
    "Good morning, robot.": "Good morning! What do you need?",
    "Hey.": "Hey! What can I get you?",
    "Good evening.": "Good evening! How can I help?",
    "How are you today?": "I am fine, thank you. How can I help?",
    "Are you awake?": "Yes, I am ready.",
    "Can you help me for a minute?": "Of course. What do you need?",
    "What's your name?": "I am your robot. How can I help?",
}
THANKS = {
    "Thank you.": "You are welcome.",
    "Thanks a lot!": "My pleasure.",
    "Great, thanks.": "You are welcome.",
    "Perfect.": "Glad to help.",
    "Nice job!": "Thank you!",
    "That's all for now.": "All right. Call me when you need me.",
    "Good robot.": "Thank you!",
    "OK, bye.": "Goodbye!",
}
LISTS = (
    "What is on the table?",
    "What do you see?",
    "Tell me what is there.",
    "Which things can you see?",
    "What have we got here?",
    "Name everything on the table.",
    "Describe the table, please.",
)
COUNTS = (
    "How many {ks} are there?",
    "How many {ks} do you see?",
    "Count the {ks}.",
    "How many {ks} are on the table?",
    "Tell me the number of {ks}.",
)
COUNTS_ALL = ("How many things are on the table?", "How many objects do you see?", "Count everything, please.")
EXISTS = (
    "Is there {a}?",
    "Is there {a} on the table?",
    "Do you see {a}?",
    "Have we got {a}?",
    "Is {a} anywhere in the picture?",
)
COLORS_OF = (
    "What color is {x}?",
    "Which color does {x} have?",
    "Tell me the color of {x}.",
    "What's the color of {x}?",
)
COLOR_OF_IT = ("What color is it?", "Which color is that?")

FOUND = (
    "Here is [OBJ] {x} [SEG].",
    "This is [OBJ] {x} [SEG].",
    "Sure, [OBJ] {x} [SEG].",
    "I see [OBJ] {x} [SEG].",
    "All right, [OBJ] {x} [SEG].",
    "There it is: [OBJ] {x} [SEG].",
)
MISSING = ("I do not see {a} here.", "There is no {bare} here.", "Sorry, I cannot find {a}.", "I see no {bare}.")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven")
