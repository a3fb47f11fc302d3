"""How people speak in the test split, and only there. The same slots as in training, other sentences."""

TEST_FRAMES = """
= prefix
well, | right, | good robot, | now then, | look,
= suffix
, robot, please | , would you? | , thank you | right now
= np.it
that thing | this thing | that object | this object
= np.other
the other object | the one that is left over, the other one | the other one here
= np.color
the one in {color} | the {color}-colored one | that {color} one | the object that's {color}
the one that looks {color}
= np.kind
the {kind} on the table | this {kind} | the one that looks like {a_kind} | the thing that is {a_kind}
= np.full
the {kind} in {color} | this {color} {kind} | the {kind} that's {color}
= np.left
the one furthest to the left | the object on the left | that left one | the thing on the left side
the one standing left
= np.right
the one furthest to the right | the object on the right | that right one | the thing on the right side
the one standing right
= np.near
the object nearest to me | the object at the front | the closest thing | that one in front | the nearest object
= np.far
the object at the back | the one that is farthest away | the thing in the back | that one at the back
the most distant object
= np.wish
that one {rel} | the object here {rel} | the thing here {rel}
= wish.do
would you help me {do}? | I'm thinking I should {do} | today I want to {do} | what would help me {do}?
I'm ready to {do} | we need to {do}
= open.kind
is there {a_kind} for me? I need one | I'm in need of {a_kind} | I really want {a_kind} | would you find me {a_kind}?
{a_kind} would be great | I must have {a_kind}
= open.color
I really want something {color} | I'm in need of something {color} | would you find me something {color}?
something {color} would be great | I must have something {color}
= open.full
I'm in need of {a_full} | I really want {np} | would you find {np} for me? | I must have {np}
{a_full} would be great
= narrow
I'm thinking of {np} | {np}, I think | I really want {np} | {np} would be great | it should be {np}
what I mean is {np} | {np} is right
= correction
no, I was thinking of {np} | that one is wrong, I want {np} | no, it should be {np} | not this one, I mean {np}
I changed my mind, {np} | wrong, I wanted {np}
= change.do
forget about that, I need to {do} | I've changed my mind and want to {do} | wait, first help me {do}
no, I think I'd rather {do} | never mind that, I want to {do}
= change.idiom
forget about that, {idiom} | never mind that, {idiom} | oh no, stop, {idiom} | I've changed my mind, {idiom}
= change.kind
forget about that, I want {a_kind} | I've changed my mind, I need {a_kind} | never mind that, find {a_kind}
no, I think I'd rather have {a_kind}
= question.count_all
how many objects are on the table in total? | do you know how many things there are? | count all the things you see
so how many things have we got here? | what is the number of things here?
= question.count_kind
do you see {kinds}, and how many? | how many {kinds} are there in total? | do you know the number of {kinds}?
count all the {kinds} | how many {kinds} are on this table?
= question.any_kind
is {a_kind} on the table? | can you find out if there is {a_kind}? | do you know if {a_kind} is here?
is any of these {a_kind}? | I don't see {a_kind}, do you?
= question.any_color
is one of these {color}? | do you know if anything is {color}? | can you see anything {color} here?
is there an object that is {color}? | is some of this {color}?
= question.help
what are you able to do? | how can you help me? | are you a good robot? | do you hear me? | what is it that you do?
= question.thanks
thanks, robot | very nice | great job | thank you, well done | you did very well
= all.wish
show each and every object {rel} | mark every thing {rel} | find everything {rel} | can you show me everything {rel}?
highlight every object {rel}
= all.kind
can you show me all {kinds}? | mark all the {kinds} | highlight every {kind} | show me each and every {kind}
find all {kinds} here
= all.color
can you show me all {color} things? | mark everything that is {color} | highlight all the {color} objects
show me every {color} thing | find all that is {color}
= take
would you hand me {np}? | can you give {np} to me? | I want you to take {np} | please pick up {np} | go and bring {np}
could you grab {np} for me? | reach over and take {np} | bring {np} to me
= part.explicit
would you take {np} by the {part}? | I want you to grab the {part} of {np} | can you show me the {part} of {np}?
pick up {np} at the {part} | where on {np} is the {part}? | put your hand on the {part} of {np}
= part.its
would you take it by its {part}? | I want you to grab its {part} | can you show me its {part}?
pick it up at its {part} | put your hand on its {part}
= function.handle
where does my hand go on {np}? | show me where I should grab {np} | which part of {np} is for my hand?
how should I grip {np}, and where? | which part of {np} do I hold?
= function.opens
would you open {np}? | I want you to open {np} | which part do I lift to open {np}? | how do you open {np}?
what part of {np} opens?
= function.inside
where do things go into {np}? | show me which part of {np} I fill | which part of {np} has the contents inside?
where is {np} hollow?
= function.spout
show me where the tea comes out of {np} | which part of {np} does the tea come out of?
where would {np} pour the water? | which end of {np} drips?
= function.blade
which part of {np} cuts? | show me the sharp end of {np} | where is the end of {np} that cuts?
which end of {np} is sharp?
= function.head
which end of {np} is heavy? | which part of {np} hits the nail? | show me the end of {np} that strikes
where does {np} strike the nail?
= function.shaft
which part of {np} goes into the screw? | which end of {np} turns the screw? | show me the thin part of {np}
where is {np} thin?
= function.bowl
which part of {np} goes into the soup? | show me which end of {np} scoops | where does {np} touch the soup?
which end of {np} is round?
= function.bristles
show me which end of {np} paints | which end of {np} goes into the paint? | which part of {np} is soft?
where is {np} hairy?
= function.base
which end of {np} stands on the table? | show me what {np} stands on | which part of {np} touches the table?
where is the bottom of {np}?
= function.shade
which end of {np} lights up? | show me where the light comes out of {np} | which part of {np} gives light?
where does {np} glow?
= function.pages
which part of {np} has the text? | show me where I would read in {np} | which part of {np} has words on paper?
where is the story in {np}?
= two.do
{first}, then also {second} | {first} and as well {second} | {first} but also {second}
= two.idiom
{first} - and {second} | {first}; also {second} | {first}, then also {second} | {first}. Oh, and {second}
= part.kind
this {kind}'s {part} | that {kind} {part} | {part}, that of the {kind}
= part.full
this {color} {kind}'s {part} | {kind}, {color}, {part} | that {color} {kind} {part}
= filler
erm | ehm | let's see | basically | I dunno | y'know | hmmm | eh | literally | or something
= hedge
I reckon | if I'm not mistaken | I'd say | unless I'm wrong | presumably
= aside.before
my shoulder is sore | these new shoes are killing me | my neighbor just called | it's freezing today
pardon my accent | I barely slept last night | ignore the noise
= aside.after
the taxi is waiting | I'm in a rush | my wrist is sprained | no pressure | you're a star | much appreciated
= courtesy
would you mind terribly if I asked you to {ask}? | I'd be much obliged if you could {ask}
may I kindly request that you {ask}? | might you be able to {ask}? | if it's not a bother, could you {ask}?
= unknown
harmonica | telescope | stethoscope | calculator | trumpet | sombrero | skateboard | banana | croissant | syringe
tambourine | abacus | protractor | saxophone | pineapple | hairdryer | dumbbell | yoyo | snorkel | chessboard
metronome | seashell | teddy | joystick | typewriter | padlock | sundial | boomerang
"""

TEST_WISHES = """
= drink.idiom
my throat is dry, I need a drink | water would be nice, I'm thirsty | I've had nothing to drink today
= drink.do
have something to drink | drink a little water | have some juice
= drink.rel
I could drink from | that is good for a drink | to drink from
= tea.idiom
I'd like tea with my guests | the tea should be served now | hot tea would be great
= tea.do
serve my guests some tea | have some hot tea
= tea.rel
I could serve tea with | that goes with tea
= soup.idiom
lunch is soup today | I'm hungry for soup | hot soup would be nice
= soup.do
have soup for lunch | eat some hot soup
= soup.rel
I could eat soup with | that is good for soup
= breakfast.idiom
breakfast would be nice | I'm hungry this morning, breakfast is late | no breakfast yet today
= breakfast.do
eat breakfast | have cereal this morning | have a first meal of the day
= breakfast.rel
I could use at breakfast | that goes with breakfast
= salad.idiom
lunch should be a salad | I'd like salad today | tomatoes and lettuce, a salad for me
= salad.do
prepare some salad | put a salad together
= salad.rel
I could make a salad with | that goes with a salad
= cook.idiom
dinner should be cooked now | I'm hungry, we should cook | we need a warm dinner
= cook.do
cook for everyone | cook a warm dinner
= cook.rel
I could cook with | that is good for cooking
= fry.idiom
fried potatoes would be great | I'd love a fried egg | the bacon should be fried
= fry.do
fry some eggs | make a pancake
= fry.rel
I could fry an egg in | that is good for frying
= heat.idiom
the milk should be warm | cold water must boil first | the water is too cold
= heat.do
make some water hot | heat up the sauce
= heat.rel
I could boil water in | that is good for heating
= cut.idiom
the bread should be in slices | the rope must be cut | this tomato needs slicing
= cut.do
slice the bread | cut an apple for two
= cut.rel
I could cut bread with | that can cut
= spread.idiom
toast with honey would be great | the bread needs butter | I want jam on my toast
= spread.do
put butter on my bread | spread honey on toast
= spread.rel
I could spread jam with | that spreads butter
= stir.idiom
the sugar in my tea needs stirring | the coffee is not mixed yet | my sauce must be mixed
= stir.do
stir sugar into my coffee | mix the sauce
= stir.rel
I could stir with | that can stir a sauce
= nail.idiom
a nail should go into this wall | the nail must go in | I have a nail and a picture for the wall
= nail.do
put in a nail | drive nails into the boards
= nail.rel
I could hit a nail with | that is good for nails
= screw.idiom
this screw must be tight | a screw on the chair is loose | there are screws to tighten
= screw.do
tighten the loose screws | turn this screw
= screw.rel
I could tighten a screw with | that can turn a screw
= repair.idiom
my chair is wobbly and needs a repair | this shelf is broken | the furniture fell apart
= repair.do
repair the broken shelf | fix a chair
= repair.rel
I could fix a shelf with | that helps with repairs
= paint.idiom
the fence should have a new color | the wall needs paint | there is paint for the fence
= paint.do
put paint on the fence | paint this dull wall
= paint.rel
I could paint a fence with | that is good for painting
= clean.idiom
it's a mess here, visitors come today | the table is dirty | nothing here is clean
= clean.do
make the table clean | tidy this room
= clean.rel
I could clean the room with | that helps me tidy up
= craft.idiom
there is a wooden toy to make | I'm building a bird house today | my hobby project is in the workshop
= craft.do
make crafts in the workshop | build a wooden bird house
= craft.rel
I could use in the workshop | that is good for crafts
= catch.idiom
the children are bored and want to run | catch would be fun outside | the dog wants to play
= catch.do
play with the dog outside | throw and catch with the kids
= catch.rel
I could throw for the dog | to play catch with
= fun.idiom
there is nothing fun to do | my afternoon is free and I'm bored | free time, at last some fun
= fun.do
have fun this afternoon | do something when I'm bored
= fun.rel
I could have fun with | that is fun
= read.idiom
I'd love a story | stories would be nice before I sleep | some text to read would be great
= read.do
read a good story | read to the kids
= read.rel
I could read | that has a story
= light.idiom
there is no light in this room | the sun is down and I can't see | it's not bright here
= light.do
have light in the dark | make the dark room bright
= light.rel
that could light up the room | to see in the dark with
= study.idiom
my exam is tomorrow | there is homework for school | I need to learn tonight
= study.do
learn for school tonight | study for the exam
= study.rel
I could study with | that is good for homework
= shopping.idiom
we have no vegetables, I'm going to the market | there is no food in the fridge | groceries are on my list
= shopping.do
buy food at the market | carry vegetables home
= shopping.rel
I could carry groceries in | that is good for shopping
= store.idiom
my small things lie around | the cables and coins need storage | toys are everywhere on the floor
= store.do
put my toys away | keep small coins safe
= store.rel
I could keep things in | that is good for storage
= fruit.idiom
pears and apples need a place on the table | the grapes are fresh, serve them | there is fresh fruit in the bag
= fruit.do
serve apples and pears | put the grapes on the table
= fruit.rel
I could keep apples in | that is good for fruit
= water.idiom
the garden needs water | my plants are too dry | the flowers are dry, water them
= water.do
pour water on my plants | water the dry garden
= water.rel
I could water flowers with | that is good for the plants
= picnic.idiom
lunch in the park would be nice | the weather is good, we eat in the park | today is right for a picnic outside
= picnic.do
eat outside in the park | go on a picnic
= picnic.rel
we could use for a picnic | that is good for a picnic
= gift.idiom
a friend's birthday is tomorrow | I need a present for my sister | there is no gift yet for the birthday
= gift.do
find a present for my sister | surprise my friend with a gift
= gift.rel
that could be a present | that is good for a birthday
"""
