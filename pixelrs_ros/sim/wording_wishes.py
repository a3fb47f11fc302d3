"""How people say what they wish in the training and validation splits: idioms, verb phrases, relative clauses."""

TRAIN_WISHES = """
= drink.idiom
I'm thirsty | I could use a drink | I'm so thirsty | my mouth is dry | time for a drink | I need some water
= drink.do
have a drink | drink something | drink some juice | have some water | quench my thirst
= drink.rel
I can drink from | that holds a drink | for drinking | I could have a drink from
= tea.idiom
it's tea time | guests are here for tea | I'd love some tea | tea would be nice now | I promised my guests some tea
= tea.do
serve tea | have tea with my guests | make some tea | drink hot tea | set the table for tea
= tea.rel
I can serve tea with | for tea | I need for tea | that is good for tea
= soup.idiom
the soup is ready | soup is on the stove | I made soup | there is soup for lunch | I'd love some soup
= soup.do
eat soup | have some soup | eat the soup while it's hot | serve the soup | try the soup
= soup.rel
I can eat soup with | for soup | I need for the soup | that goes with soup
= breakfast.idiom
it's time for breakfast | good morning, breakfast please | I just woke up hungry | I skipped breakfast
= breakfast.do
have breakfast | eat cereal with milk | set the table for breakfast | eat my porridge | start the day with a meal
= breakfast.rel
I need for breakfast | for breakfast | I can use at breakfast | that is good for breakfast
= salad.idiom
a salad would be nice | the lettuce is washed | I'd love a salad | salad is on the menu | the tomatoes are for a salad
= salad.do
make a salad | prepare a salad | mix a salad | slice vegetables for a salad | have salad for lunch
= salad.rel
I need for a salad | for salad | I can make a salad with | that is good for a salad
= cook.idiom
dinner is not ready yet | I'm hungry | everyone is waiting for dinner | time to cook | the kitchen is mine tonight
= cook.do
cook a meal | cook dinner | prepare a warm meal | cook something | make lunch
= cook.rel
I can cook with | for cooking | I need to cook dinner | that a cook would use
= fry.idiom
I'm in the mood for fried eggs | the oil is ready for frying | the egg should be fried | pancakes would be great
= fry.do
fry an egg | fry some bacon | make pancakes | fry potatoes | make an omelette
= fry.rel
I can fry an egg in | for frying | that I could fry in | I need for pancakes
= heat.idiom
the water should boil | the milk is too cold | this must be warm | I need hot water | the sauce is cold
= heat.do
heat some water | boil water | warm up some milk | heat something on the stove | make the sauce warm
= heat.rel
I can heat water in | that goes on the stove | for heating | I can boil water in
= cut.idiom
the bread is still whole | this rope is too long | the bread needs slicing | this apple is for two
= cut.do
cut some bread | slice a tomato | cut this rope | chop onions | peel an apple
= cut.rel
I can cut with | for cutting | that is sharp | I could slice bread with
= spread.idiom
there is no butter on my toast yet | my toast is dry | I'd love toast with jam | butter goes on the toast
= spread.do
spread butter on toast | spread some jam | put honey on bread | butter my toast | spread cream on a cake
= spread.rel
I can spread butter with | for spreading | that spreads jam | I can put jam on toast with
= stir.idiom
the sugar is still at the bottom | the sauce needs stirring | my coffee is not mixed | sugar must go in my coffee
= stir.do
stir my coffee | stir the sauce | mix sugar into my tea | taste the sauce | eat yoghurt
= stir.rel
I can stir with | for stirring | that stirs coffee | I could eat yoghurt with
= nail.idiom
there is a nail to drive in | this nail sticks out | the nail won't go in | the picture needs a nail
= nail.do
drive a nail | hammer in a nail | put a nail into the wall | hit a nail | nail two boards together
= nail.rel
I can drive a nail with | for nails | that drives nails | I can hit a nail with
= screw.idiom
this screw is loose | the screw has come loose | the screws are not tight | there's a screw to turn
= screw.do
tighten a screw | turn a screw | loosen this screw | put in a screw | remove a screw
= screw.rel
I can turn a screw with | for screws | that tightens screws | that fits a screw
= repair.idiom
the chair is broken | something here needs a repair | my shelf fell apart | the table is wobbly | I need a tool
= repair.do
repair a chair | fix my shelf | build a shelf | put furniture together | do a repair
= repair.rel
I can repair a chair with | for repairs | I need to fix things | that is a tool for building
= paint.idiom
the wall looks dull | the fence needs new paint | I have paint in a bucket | this wall needs a new colour
= paint.do
paint the wall | paint a fence | put glue on paper | paint a picture | put on some paint
= paint.rel
I can paint with | for painting | that puts on paint | I could paint a wall with
= clean.idiom
this room is a mess | it's so dirty here | there is a mess on the table | visitors come and nothing is tidy
= clean.do
tidy up | clean up this mess | clean the room | make the room tidy | clear the table
= clean.rel
I can tidy up with | for tidying up | that helps with a mess | I can clean up with
= craft.idiom
I have a project in the workshop | I'm making a wooden toy | crafts are my hobby | I'm in the workshop today
= craft.do
do some crafts | make a wooden toy | work in the workshop | build a bird house | work with wood
= craft.rel
I need in the workshop | for crafts | I can work on wood with | for my wooden toy
= catch.idiom
the kids want to play outside | the dog is bored | let's play catch | the children need to run around
= catch.do
play catch | throw something for the dog | play outside with the kids | kick something around | play football
= catch.rel
I can throw | that rolls well | for playing catch | the kids can play catch with
= fun.idiom
I'm bored | there is nothing to do | it's a long afternoon | I have some free time | I need some fun
= fun.do
have some fun | do something fun | fill a long afternoon | enjoy my free time | keep the kids busy
= fun.rel
I can have fun with | for fun | that helps when I'm bored | for my free time
= read.idiom
I'm in the mood for a story | a good story would be nice | tell me there is something to read | I like stories
= read.do
read something | read a story | read before I sleep | look at a story with the kids | learn from a text
= read.rel
I can read | for reading | with a story in it | that has text in it
= light.idiom
it's dark in here | I can't see a thing | it's too dark | the room needs light | the sun has gone down
= light.do
have some light | see better in the dark | light up the room | make it bright here | switch on a light
= light.rel
that gives light | for light | that lights up the room | that helps in the dark
= study.idiom
I have homework to do | there is an exam tomorrow | I have to study tonight | school starts again
= study.do
study tonight | do my homework | learn for an exam | prepare for school | study at my desk
= study.rel
I need to study | for homework | that helps me study | I could use at my desk
= shopping.idiom
I'm off to the market | the fridge is empty | I'm going shopping | we have no food at home
= shopping.do
go shopping | carry the shopping | go to the market | carry home the groceries | buy vegetables
= shopping.rel
I can carry the shopping in | for shopping | for the market | that carries groceries
= store.idiom
these coins lie around everywhere | my toys are all over the floor | small things keep getting lost | it needs storage
= store.do
put small things away | store my toys | keep my letters safe | put my things somewhere | store some cables
= store.rel
I can put things in | for storage | that stores small things | I can keep toys in
= fruit.idiom
the apples need a place | I bought apples and pears | the fruit is still in the bag | fresh fruit has arrived
= fruit.do
put fruit on the table | serve some fruit | keep the apples together | wash some grapes | arrange the fruit
= fruit.rel
I can put fruit in | for fruit | that keeps apples | I can serve grapes in
= water.idiom
the plants are dry | my flowers need water | the garden is too dry | nobody watered the flowers
= water.do
water the plants | water my flowers | pour water on the flowers | water the garden | pour some water
= water.rel
I can water plants with | for the flowers | that carries water | I can pour from
= picnic.idiom
we're off to the park for lunch | let's have a picnic | the weather is right for a picnic | we eat outside today
= picnic.do
have a picnic | prepare a picnic | pack for a picnic | eat lunch in the park | go on a trip with food
= picnic.rel
I need for a picnic | for a picnic | that comes to the park | we can use at a picnic
= gift.idiom
my friend has a birthday | it's my sister's birthday | I still have no present | I need a gift
= gift.do
make a present | surprise a friend | prepare a birthday present | wrap a gift | find a gift
= gift.rel
that makes a present | for a birthday | I can use as a gift | for my friend's birthday
"""
