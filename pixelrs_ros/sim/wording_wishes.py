"""How people say what they wish in the training and validation splits: idioms, verb phrases, relative clauses."""

TRAIN_WISHES = """
= drink.idiom
I'm thirsty | I could use a drink | I'm so thirsty | my mouth is dry | time for a drink | I need some water
my tongue is so dry | I haven't had water all day | a cold drink would be lovely | I'm dying of thirst
it's so hot, I need a drink | some juice would be nice | I just ran five miles and I'm thirsty | drinks, anyone?
I feel dry
= drink.do
have a drink | drink something | drink some juice | have some water | quench my thirst | drink | have a cold drink
drink a bit of milk | drink some cola | have a glass of water
= drink.rel
I can drink from | that holds a drink | for drinking | I could have a drink from | to drink out of
with a drink in it | that one drinks from
= tea.idiom
it's tea time | guests are here for tea | I'd love some tea | tea would be nice now | I promised my guests some tea
the tea is almost ready | who wants tea? | a hot tea, that's what I want | it's five o'clock, time for tea
any tea will do | my neighbor comes over for tea | the tea leaves are here already
= tea.do
serve tea | have tea with my guests | make some tea | drink hot tea | set the table for tea | drink a hot tea
have a nice tea | offer tea to my neighbor | prepare the tea | enjoy tea and biscuits
= tea.rel
I can serve tea with | for tea | I need for tea | that is good for tea | one has tea with | for my tea
for the tea party
= soup.idiom
the soup is ready | soup is on the stove | I made soup | there is soup for lunch | I'd love some soup
there's tomato soup | my soup is getting cold | mum's soup smells great | a hot soup for a cold day
soup helps when I'm ill | the noodle soup is done | who wants soup?
= soup.do
eat soup | have some soup | eat the soup while it's hot | serve the soup | try the soup | eat my noodle soup
finish the soup | have tomato soup | enjoy my soup | taste the soup
= soup.rel
I can eat soup with | for soup | I need for the soup | that goes with soup | one eats soup with | for my noodle soup
to eat soup with
= breakfast.idiom
it's time for breakfast | good morning, breakfast please | I just woke up hungry | I skipped breakfast
it's seven in the morning and I'm hungry | breakfast time | I haven't had breakfast yet | my breakfast is missing
time for cereal | I could eat some porridge | the milk and the cereal are ready
= breakfast.do
have breakfast | eat cereal with milk | set the table for breakfast | eat my porridge | start the day with a meal
have my breakfast | eat my morning cereal | have porridge with milk | have breakfast on the table | make breakfast
= breakfast.rel
I need for breakfast | for breakfast | I can use at breakfast | that is good for breakfast | one has at breakfast
for my cereal | to eat breakfast with
= salad.idiom
a salad would be nice | the lettuce is washed | I'd love a salad | salad is on the menu | the tomatoes are for a salad
something healthy with lettuce, please | tonight we have salad | the lettuce and the peppers are washed | salad time
leaves and dressing, that's my lunch | I'm on a diet, only salad | who wants a salad?
= salad.do
make a salad | prepare a salad | mix a salad | slice vegetables for a salad | have salad for lunch | make a big salad
serve salad to everyone | wash lettuce for a salad | eat a salad | mix lettuce and tomatoes
= salad.rel
I need for a salad | for salad | I can make a salad with | that is good for a salad | one makes salad with
to make a salad | for lettuce and tomatoes
= cook.idiom
dinner is not ready yet | I'm hungry | everyone is waiting for dinner | time to cook | the kitchen is mine tonight
what's for dinner? | I'm the cook tonight | we have to eat something warm | the stove is on | the kids are hungry
dinner is on me | nobody has cooked yet | my stomach is growling
= cook.do
cook a meal | cook dinner | prepare a warm meal | cook something | make lunch | cook pasta | make dinner
cook rice and beans | prepare dinner | cook lunch for two | make something warm to eat
= cook.rel
I can cook with | for cooking | I need to cook dinner | that a cook would use | to cook with | one cooks with
for making dinner
= fry.idiom
I'm in the mood for fried eggs | the oil is ready for frying | the egg should be fried | pancakes would be great
eggs and bacon, please | I'd like my eggs fried | the bacon is waiting | it's pancake day | a steak would be great
the sausages are still raw | I smell bacon
= fry.do
fry an egg | fry some bacon | make pancakes | fry potatoes | make scrambled eggs | fry fish | fry a steak
make fried eggs | fry the sausages | fry onions in oil | flip pancakes
= fry.rel
I can fry an egg in | for frying | that I could fry in | I need for pancakes | to fry with | one fries eggs in
for bacon and eggs | for pancakes
= heat.idiom
the water should boil | the milk is too cold | this must be warm | I need hot water | the sauce is cold
the water is still cold | I need boiling water | my milk is cold | it has to boil first | this must be hot
the soup has gone cold | warm milk would help me sleep
= heat.do
heat some water | boil water | warm up some milk | heat something on the stove | make the sauce warm | boil some water
make the milk warm | heat milk | have the water hot | have water on the boil | heat up the soup
= heat.rel
I can heat water in | that goes on the stove | for heating | I can boil water in | to heat milk in
one boils water in | to boil water in | to warm something in
= cut.idiom
the bread is still whole | this rope is too long | the bread needs slicing | this apple is for two
these onions must be in small pieces | the string is too long | the bread comes in one piece
the cake is for eight people | this tape won't tear | I need slices, not a whole bread | half for you, half for me
= cut.do
cut some bread | slice a tomato | cut this rope | chop onions | peel an apple | cut the cake | chop some carrots
cut a rope in two | slice the meat | cut paper | cut this in half | make thin slices
= cut.rel
I can cut with | for cutting | that is sharp | I could slice bread with | to cut with | one cuts with | with an edge
for slicing bread | for chopping
= spread.idiom
there is no butter on my toast yet | my toast is dry | I'd love toast with jam | butter goes on the toast
butter and jam on bread, please | this toast needs something on it | honey on my bread would be great
the butter is soft enough now | there is jam for the toast | my bread is dry
= spread.do
spread butter on toast | spread some jam | put honey on bread | butter my toast | spread cream on a cake
butter the bread | put jam on a slice | spread cheese | put some butter on it | spread honey
= spread.rel
I can spread butter with | for spreading | that spreads jam | I can put jam on toast with | to spread butter with
one butters bread with | for jam and butter
= stir.idiom
the sugar is still at the bottom | the sauce needs stirring | my coffee is not mixed | sugar must go in my coffee
there is sugar in my coffee, it must be mixed | milk and coffee should mix | the sauce will burn if nobody stirs
my tea needs sugar | two sugars for me | the yoghurt is mixed with fruit
= stir.do
stir my coffee | stir the sauce | mix sugar into my tea | taste the sauce | eat yoghurt | stir
mix milk into the coffee | put sugar in my tea and stir | stir the pot | stir my tea | mix it well
= stir.rel
I can stir with | for stirring | that stirs coffee | I could eat yoghurt with | to stir with | one stirs coffee with
for sugar | to mix the sauce with
= nail.idiom
there is a nail to drive in | this nail sticks out | the nail won't go in | the picture needs a nail
the board is loose, a nail would fix it | I want the picture on the wall | this board needs nails
three nails for the roof | the nail is bent | I have nails and boards
= nail.do
drive a nail | hammer in a nail | put a nail into the wall | hit a nail | nail two boards together | hammer
hit the nail | hang up a picture with a nail | nail the board down | drive this nail in | knock a nail in
= nail.rel
I can drive a nail with | for nails | that drives nails | I can hit a nail with | to hit nails with
one drives nails with | for hammering | to hammer with
= screw.idiom
this screw is loose | the screw has come loose | the screws are not tight | there's a screw to turn
the screw fell out | those screws have to come out | my glasses have a loose screw
it sits on four screws, and one is loose | this shelf is held by screws | a screw is missing
= screw.do
tighten a screw | turn a screw | loosen this screw | put in a screw | remove a screw | screw this in | undo the screws
turn the screws | drive in a screw | tighten it with a screw | pull out a screw
= screw.rel
I can turn a screw with | for screws | that tightens screws | that fits a screw | to turn screws with
one turns screws with | for this screw | to screw with
= repair.idiom
the chair is broken | something here needs a repair | my shelf fell apart | the table is wobbly | I need a tool
the bike is broken | my toy fell apart | the door is broken again | it doesn't work any more, it's broken
the leg of the chair came off | everything is falling apart here | that needs fixing
= repair.do
repair a chair | fix my shelf | build a shelf | put furniture together | do a repair | fix things | repair the door
fix the bike | fix what is broken | repair my toy | put the chair together again
= repair.rel
I can repair a chair with | for repairs | I need to fix things | that is a tool for building | to fix things with
one repairs things with | for fixing | for a broken thing
= paint.idiom
the wall looks dull | the fence needs new paint | I have paint in a bucket | this wall needs a new color
the door should be in another color | the paint is ready | these walls are so ugly | I'm an artist
time for some color on the wall | I bought new paint | the old paint comes off
= paint.do
paint the wall | paint a fence | put glue on paper | paint a picture | put on some paint | paint | paint the door
put a new color on the wall | paint the ceiling | paint a flower | do some painting
= paint.rel
I can paint with | for painting | that puts on paint | I could paint a wall with | to paint with | one paints with
to put on paint with | an artist would use
= clean.idiom
this room is a mess | it's so dirty here | there is a mess on the table | visitors come and nothing is tidy
look at this mess | there's dirt everywhere | it is untidy here | the floor is dirty
mother comes and the room is a mess | we should tidy up | my desk is a mess
= clean.do
tidy up | clean up this mess | clean the room | make the room tidy | clear the table | clean | clean the floor
make this place tidy | put everything in order | clean my desk | do the cleaning
= clean.rel
I can tidy up with | for tidying up | that helps with a mess | I can clean up with | to clean with
one tidies up with | for cleaning | against the dirt
= craft.idiom
I have a project in the workshop | I'm making a wooden toy | crafts are my hobby | I'm in the workshop today
I like to make things from wood | I'm making something in the workshop | I built a toy train | the workshop is waiting
handmade things are the best | I love crafts
= craft.do
do some crafts | make a wooden toy | work in the workshop | build a bird house | work with wood
make something from wood | build a toy | make something handmade | craft something | work on my hobby
build a model ship
= craft.rel
I need in the workshop | for crafts | I can work on wood with | for my wooden toy | to build a toy with | for my hobby
from my workshop | for working with wood
= catch.idiom
the kids want to play outside | the dog is bored | let's play catch | the children need to run around
the kids are full of energy | my son wants to play in the yard | football, anyone? | our dog wants to run
sport would be nice | let's play outside | I'm ready for a game outside
= catch.do
play catch | throw something for the dog | play outside with the kids | kick something around | play football
play a game outside | throw and catch | play tennis | play with my dog | kick a goal | do some sport
= catch.rel
I can throw | that rolls well | for playing catch | the kids can play catch with | to throw | to kick | one can kick
that bounces | for sport | for the dog
= fun.idiom
I'm bored | there is nothing to do | it's a long afternoon | I have some free time | I need some fun
I have nothing to do all day | so boring here | what can I do with my free time? | I want to have some fun
it's sunday and I'm bored | nothing on tv today | I'd love to do something fun
= fun.do
have some fun | do something fun | fill a long afternoon | enjoy my free time | keep the kids busy | have a good time
kill some time | do something against boring hours | spend my free time | play a little
= fun.rel
I can have fun with | for fun | that helps when I'm bored | for my free time | against being bored | to have fun with
to spend time with | for a free afternoon
= read.idiom
I'm in the mood for a story | a good story would be nice | tell me there is something to read | I like stories
I'd love to read | a story before sleep, please | reading makes me happy | I finished my last story
I like to read at night | tell the kids a story
= read.do
read something | read a story | read before I sleep | look at a story with the kids | learn from a text | read
read for an hour | read stories to my son | do some reading | read about animals | look something up
= read.rel
I can read | for reading | with a story in it | that has text in it | to read | one can read | full of stories
for reading in bed
= light.idiom
it's dark in here | I can't see a thing | it's too dark | the room needs light | the sun has gone down | it's so dark
I can hardly see | night has come | turn the lights on | my room is dark | it's night and I can't see
more light, please
= light.do
have some light | see better in the dark | light up the room | make it bright here | switch on a light | make light
have more light | turn on the light | see something at night | light this corner | brighten up my evening
= light.rel
that gives light | for light | that lights up the room | that helps in the dark | to light the room with | that shines
against the dark | that makes it bright
= study.idiom
I have homework to do | there is an exam tomorrow | I have to study tonight | school starts again | school is hard
my teacher gave us homework | I have a test tomorrow | tomorrow is the exam | I must learn so much
time to do my homework | I sit at my desk all night to learn
= study.do
study tonight | do my homework | learn for an exam | prepare for school | study at my desk | study | learn
study for a test | do homework | be ready for the exam | learn at my desk | study history
= study.rel
I need to study | for homework | that helps me study | I could use at my desk | to study with | one studies with
for my exam | for school
= shopping.idiom
I'm off to the market | the fridge is empty | I'm going shopping | we have no food at home
we need milk and bread from the shop | the shops close soon | there's a sale at the shop | shopping day
off to the shop | I buy vegetables every week
= shopping.do
go shopping | carry the shopping | go to the market | carry home the groceries | buy vegetables | go to the shop
buy food | carry my groceries | buy bread and milk | carry things home from the shop | do the shopping
= shopping.rel
I can carry the shopping in | for shopping | for the market | that carries groceries | to carry groceries in
one takes to the market | to go shopping with | for my groceries
= store.idiom
these coins lie around everywhere | my toys are all over the floor | small things keep getting lost | it needs storage
I don't want to lose these | too many little things here | my coins need a place | my letters lie around
toys all over the floor | these cables need a place | I'm moving house and have to pack
= store.do
put small things away | store my toys | keep my letters safe | put my things somewhere | store some cables
keep things safe | pack my things | put the toys away | keep my coins | put away small stuff | pack for the move
= store.rel
I can put things in | for storage | that stores small things | I can keep toys in | to put things in
to keep stuff in | to pack things in | for my coins | for small stuff
= fruit.idiom
the apples need a place | I bought apples and pears | the fruit is still in the bag | fresh fruit has arrived
we bought too many apples | pears, apples and grapes, and no place for them | the apples roll around
grapes for everyone | there is so much fruit | I picked apples
= fruit.do
put fruit on the table | serve some fruit | keep the apples together | wash some grapes | arrange the fruit
put the apples somewhere | serve grapes | offer some fruit | keep fruit | put pears on the table | collect the apples
= fruit.rel
I can put fruit in | for fruit | that keeps apples | I can serve grapes in | to keep fruit in | to serve fruit in
for apples and pears | one keeps apples in
= water.idiom
the plants are dry | my flowers need water | the garden is too dry | nobody watered the flowers
no rain for weeks, the garden is dry | the flowers need water | the flowers look sad
my plants are thirsty, they need water | it's hot and the plants are dry | somebody has to water the flowers
= water.do
water the plants | water my flowers | pour water on the flowers | water the garden | pour some water
let my plants have water | water my plants | water the garden now | help my dry flowers | care for my plants
= water.rel
I can water plants with | for the flowers | that carries water | I can pour from | to water plants with | to pour with
for watering the plants | one waters flowers with
= picnic.idiom
we're off to the park for lunch | let's have a picnic | the weather is right for a picnic | we eat outside today
sunny day, let's eat outside | we're going to eat in the park | a picnic would be fun
the park is lovely, let's eat there | the family wants a picnic | we have lunch on the grass
= picnic.do
have a picnic | prepare a picnic | pack for a picnic | eat lunch in the park | go on a trip with food
eat on the grass | pack lunch for the park | carry lunch to the park | go for a picnic | eat outside
prepare the picnic
= picnic.rel
I need for a picnic | for a picnic | that comes to the park | we can use at a picnic | for lunch in the park
to go on a picnic with | for eating outside | one packs for a picnic
= gift.idiom
my friend has a birthday | it's my sister's birthday | I still have no present | I need a gift
it's my mother's birthday | I'm invited to a birthday party | I have nothing for her birthday
my best friend turns thirty | a present is needed | I still need a birthday gift
= gift.do
make a present | surprise a friend | prepare a birthday present | wrap a gift | find a gift | buy a present
find something for her birthday | make someone happy with a present | have a gift for my friend | surprise my mother
= gift.rel
that makes a present | for a birthday | I can use as a gift | for my friend's birthday | to wrap as a gift
for a present | one could wrap as a gift | for my mother's birthday
"""
