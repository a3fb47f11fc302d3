"""Wishes of the `test_language` split: no word that tells what is wished for ever occurs in training."""

UNHEARD_WISHES = """
= drink.idiom
my throat is parched | I'm dehydrated | so dehydrated after jogging | lemonade would be heavenly
I'm sweating like crazy
= drink.do
sip a beverage | gulp lemonade | rehydrate myself
= drink.rel
I could sip from | suitable for a beverage
= tea.idiom
a chamomile infusion would soothe me | I'm craving Darjeeling | grandma expects her Earl Gray
scones and a cuppa, like the British
= tea.do
brew a herbal infusion | steep Darjeeling | sip chamomile with grandma
= tea.rel
to brew an infusion with | that Earl Gray belongs with
= soup.idiom
a steaming ramen would be heavenly | minestrone has been simmering since noon | chowder is simmering
I caught the flu and crave broth
= soup.do
slurp my broth | ladle up minestrone | devour ramen
= soup.rel
to slurp broth with | suitable for a chowder
= breakfast.idiom
I crave muesli | sunrise means granola | the alarm beeped, oatmeal beckons | cornflakes are calling
= breakfast.do
munch on granola | devour oatmeal after sunrise | have brunch
= breakfast.rel
to munch muesli with | suitable for brunch
= salad.idiom
spinach and cucumber with vinaigrette, yum | I'm vegan, so coleslaw | the radishes want croutons and vinaigrette
feta and olives are marinating
= salad.do
marinate cucumber in vinaigrette | make coleslaw | combine spinach with radishes
= salad.rel
to make coleslaw with | suitable for spinach with croutons
= cook.idiom
supper won't make itself | I downloaded a recipe | a casserole would impress the in-laws
I'm starving and crave risotto
= cook.do
make a curry | make risotto | feed a starving crowd
= cook.rel
to make a stew with | that chefs rely on
= fry.idiom
I'm making a frittata | the schnitzel should be sizzling | crepes are what we crave | hash browns, crispy ones
= fry.do
make a frittata | sizzle a schnitzel | brown hash browns
= fry.rel
to sizzle a burger in | that crepes are made in
= heat.idiom
my cocoa has gone lukewarm | those leftovers are chilly | the ravioli should simmer | it's frozen, thaw it
= heat.do
reheat leftovers | simmer ravioli | thaw frozen peas
= heat.rel
to simmer ravioli in | that leftovers could be reheated in
= cut.idiom
that baguette needs dividing | this twine is tangled, snip it | the turkey must be carved
the ham should be diced finely
= cut.do
carve the turkey | dice ham | snip twine
= cut.rel
to carve a turkey with | that severs twine
= spread.idiom
a bagel with marmalade, yum | peanut paste on crackers is divine | the cupcakes lack frosting | hummus on pita, mmm
= spread.do
smear hummus on a bagel | apply frosting evenly | coat crackers with marmalade
= spread.rel
to smear marmalade with | that frosting could be applied with
= stir.idiom
my cappuccino foam should swirl | the batter has lumps | cinnamon won't dissolve in my espresso
the pudding is curdling
= stir.do
swirl my cappuccino | dissolve a pill | blend the batter
= stir.rel
to swirl espresso with | that dissolves lumps of pudding
= nail.idiom
this tack must be pounded into the beam | the horseshoe isn't fastened | the pegs want pounding
my wreath falls unless it is fastened
= nail.do
pound a tack into the beam | fasten a horseshoe | whack in pegs
= nail.rel
to pound tacks with | that whacks pegs
= screw.idiom
the hinge squeaks and wobbles | our doorknob rattles | this bolt is undone | the license badge dangles
= screw.do
unfasten a bolt | secure the doorknob | adjust a hinge
= screw.rel
to secure a hinge with | that twists bolts
= repair.idiom
the cupboard collapsed | I'm a DIY person | our cabinet is wonky again | the banister snapped
= repair.do
mend a cupboard | restore the snapped banister | do DIY
= repair.rel
to mend a cabinet with | that every handyman owns
= paint.idiom
my canvas is blank | a portrait of you, why not | gouache and watercolors inspire me | the fresco has faded
= paint.do
create a portrait | decorate a canvas | apply varnish
= paint.rel
to apply varnish with | that created the portrait
= clean.idiom
crumbs and cobwebs, yuck | someone spilled confetti | it isn't hygienic here | so much clutter, it's chaos
= clean.do
sweep up crumbs | declutter | do my chores
= clean.rel
to sweep cobwebs with | that defeats clutter
= craft.idiom
I'm a carpenter by trade | whittling relaxes me | a sculpture is what I dream of | tinkering is my passion
= craft.do
whittle a sculpture | do carpentry | tinker
= craft.rel
to whittle with | that a carpenter uses
= catch.idiom
my nephew is a goalkeeper | the puppy is jumping, so restless | soccer at recess | the team lacks someone to dribble
= catch.do
dribble | exercise my puppy | practise soccer with my nephew
= catch.rel
to dribble with | that a goalkeeper stops
= fun.idiom
it's raining cats and dogs, amuse me | how tedious this weekend is | I'm yawning, entertain me | a leisurely weekend
= fun.do
amuse myself | relax | entertain my cousins
= fun.rel
to relax with | that entertains my cousins
= read.idiom
a novel for the flight | Shakespeare is my hero | bedtime without a fairy tale, how cruel | poetry soothes me
= read.do
recite poetry | devour a chapter | browse through a novel
= read.rel
that has chapters | that poets are proud of
= light.idiom
it's gloomy | dusk falls and I'm squinting | a blackout, not again | so dim, it's scary
= light.do
illuminate this gloomy cellar | chase shadows | banish the gloom
= light.rel
that illuminates | that banishes shadows
= study.idiom
algebra is killing me | my thesis is due | professor Miller examines me | midterms are coming
= study.do
cram algebra | revise vocabulary | write an essay for college
= study.rel
to revise algebra with | that students cram with
= shopping.idiom
the supermarket has discounts | errands are piling up | the pantry is bare | the greengrocer shuts at noon
= shopping.do
do errands | stock up at the supermarket | visit the greengrocer
= shopping.rel
to haul purchases in | suitable for supermarket errands
= store.idiom
marbles have been rolling over the rug | these trinkets deserve a shelter | grandpa's medals must not vanish
souvenirs clutter my shelves
= store.do
stash my marbles | hide souvenirs | organize trinkets
= store.rel
to stash trinkets in | that medals could vanish into
= fruit.idiom
ripe mangoes, straight from the orchard | cherries and plums are in season | the peaches bruise easily | bananas ripen
= fruit.do
display ripe peaches | candy cherries | rinse plums
= fruit.rel
to display mangoes in | that cherries would seem pretty in
= water.idiom
the seedlings are wilting | my orchid droops | the soil is crumbly, poor tulips | basil on the sill is shrivelling
= water.do
sprinkle the seedlings | moisten soil | rescue wilting tulips
= water.rel
to sprinkle ferns with | that saves a wilting orchid
= picnic.idiom
an excursion to the lakeside, hooray | sandwiches in the meadow | we go hiking into the countryside
the beach awaits us
= picnic.do
munch sandwiches on a meadow | go hiking | make an excursion to the beach
= picnic.rel
for an excursion | suitable for sandwiches at the lakeside
= gift.idiom
christmas is approaching | our anniversary is coming | a wedding invitation | mom is graduating
= gift.do
congratulate the newlyweds | congratulate my godmother at christmas | celebrate our anniversary
= gift.rel
that delights newlyweds | that santa would deliver
"""
