"""How people speak in the training and validation splits, slot by slot.

Slots that start with `np.` are noun phrases that stand for {np} in the others. Verbs of action (`ACTION_WORDS` in
`wording.py`) mark the turns that are answered with names, so no other slot uses them, except to ask for everything.
"""

TRAIN_FRAMES = """
= prefix
hey robot, | ok, | um, | robot, | so, | hello, | alright, | uh, | now | listen, | hi,
= suffix
please | , please | , robot | , thanks | , ok? | now | for me | , if you can
= np.it
it | it | it | it | that one | that | this one | that | this | that very one
= np.other
the other one | the other one | the other | the other thing | the other one there | the remaining one
the one you did not choose | the other of the two
= np.colour
the {colour} one | the {colour} one | the {colour} one | the {colour} thing | the one that is {colour}
the one that's {colour} | the {colour} object | the one with the {colour} colour | the thing that is {colour}
the one coloured {colour} | the thing in {colour} | that thing with {colour} on it
= np.kind
the {kind} | the {kind} | that {kind} | the one that is {a_kind} | the {kind} there | the {kind} here
the thing called {a_kind} | that {kind} there
= np.full
the {colour} {kind} | the {colour} {kind} | that {colour} {kind} | the {kind} that is {colour}
the {colour} coloured {kind} | that {kind} with the {colour} colour
= np.left
the left one | the one on the left | the leftmost one | the left thing | the one further left
the one on the left side | the one to the left | the leftmost | the thing on the left | the one furthest left
= np.right
the right one | the one on the right | the rightmost one | the right thing | the one further right
the one on the right side | the one to the right | the rightmost | the thing on the right | the one furthest right
= np.near
the nearest one | the closest one | the one nearest to me | the one in front | the front one | the near one
the one closest to me | the nearest | the one at the front
= np.far
the farthest one | the one farthest away | the one at the back | the far one | the back one | the one farthest from me
the most distant one | the farthest | the one in the back
= np.wish
the one {rel} | the one {rel} | the thing {rel} | the object {rel} | the item {rel}
= wish.do
I want to {do} | I'd like to {do} | I need to {do} | I'm about to {do} | I'm going to {do} | I have to {do}
help me {do} | can you help me {do}? | could you help me {do}? | what do I need to {do}? | I feel like I should {do}
what would you use to {do}? | is there something to help me {do}? | I was thinking I could {do} | let me {do}
what can I use to {do}? | I plan to {do} | how am I supposed to {do}? | it's time to {do} | we want to {do}
I really have to {do} | I've got to {do} | if only I could {do} | I don't know how to {do}
= open.kind
I need {a_kind} | I want {a_kind} | I'd like {a_kind} | I'm looking for {a_kind} | {a_kind} please
I could use {a_kind} | do you see {a_kind} I could use? | I have to have {a_kind} | I'm after {a_kind}
can you find {a_kind}? | find {a_kind} | look for {a_kind} | I would love {a_kind} | what I need is {a_kind}
= open.colour
I need something {colour} | I want something {colour} | I'd like something {colour} | something {colour} please
I'm looking for something {colour} | find something {colour} | can you find something {colour}?
I like {colour} things | look for something {colour} | I'm after something {colour} | it has to be {colour}
{colour} is what I need
= open.full
I need {a_full} | I want {np} | I'd like {np} | I'm looking for {np} | I need {np} | I want {a_full}
I'm looking for {a_full} | can you find {np}? | find {np} | look for {a_full} | what I need is {np} | I'm after {np}
= narrow
{np} | {np} | I mean {np} | I meant {np} | {np} please | I want {np} | I'd like {np} | I'd prefer {np}
I was thinking of {np} | it's {np} | {np} is what I want | {np} would be best | make it {np} | {np} looks right
I need {np} | let's say {np} | I think {np} | my choice is {np} | {np} is fine | I'm talking about {np}
I wanted {np} | then {np}
= correction
no, {np} | no, I mean {np} | not that one, {np} | no, not that one, {np} | sorry, I meant {np} | wrong one, {np}
no no, {np} | I said it badly, I mean {np} | that is not it, I want {np} | no, make it {np} | not this, {np}
actually, {np} | actually I'd prefer {np} | oh no, I meant {np} | that's wrong, it's {np} | no, rather {np}
= change.do
forget it, I want to {do} instead | forget it, I'd rather {do} | never mind, I need to {do} now
no wait, first I have to {do} | I changed my mind, I want to {do} | change of plan, I'm going to {do}
on second thought I'd like to {do} | stop, I want to {do} instead | leave that, help me {do}
forget that, I have to {do} | something else: I want to {do} | no, let me {do} first | scrap that, I'd like to {do}
actually I'd rather {do} | wait, I want to {do} instead
= change.idiom
forget it, {idiom} | never mind, {idiom} | wait, {idiom} | forget that, {idiom} | I changed my mind, {idiom}
change of plan, {idiom} | leave that, {idiom} | stop, {idiom} | scrap that, {idiom} | something else: {idiom}
no wait, {idiom} | on second thought, {idiom}
= change.kind
forget it, I want {a_kind} instead | never mind, I need {a_kind} | I changed my mind, I'd like {a_kind}
wait, I'd rather have {a_kind} | forget that, I need {a_kind} | change of plan, I want {a_kind}
actually I'd rather have {a_kind} | leave that, I need {a_kind} | on second thought, {a_kind}
something else: {a_kind} | stop, I want {a_kind} instead | scrap that, {a_kind} please
= question.count_all
how many things are on the table? | how many objects are there? | how many things do you see?
how many objects can you see? | can you count the objects? | count the things on the table
how many items are on the table? | how many things are here? | what is the number of objects?
how much stuff is on the table? | how full is the table, how many things? | how many things in total?
= question.count_kind
how many {kinds} are there? | how many {kinds} do you see? | how many {kinds} are on the table? | count the {kinds}
can you count the {kinds}? | what is the number of {kinds}? | how many {kinds} can you see?
how many {kinds} are here? | how many {kinds} in total? | do you know how many {kinds} there are?
how many {kinds} have we got? | number of {kinds}?
= question.any_kind
is there {a_kind}? | do you see {a_kind}? | is there {a_kind} on the table? | is {a_kind} here?
can you see {a_kind}? | is there {a_kind} somewhere? | do we have {a_kind}? | have we got {a_kind}?
is there any {kind}? | is there {a_kind} here? | are there any {kinds}? | do you know if there is {a_kind}?
= question.any_colour
is anything {colour} here? | is there anything {colour}? | do you see anything {colour}? | is anything {colour}?
can you see something {colour}? | is there a {colour} thing on the table? | are there any {colour} things?
is something {colour}? | is any of it {colour}? | do we have anything {colour}?
is there anything {colour} on the table? | are any objects {colour}?
= question.help
what can you do? | who are you? | can you help me? | are you ready? | how do you work? | are you a robot?
can you hear me? | what are you good at? | do you understand me? | are you there? | what is your job?
can I ask you something?
= question.thanks
thank you | thanks | thanks a lot | good job | well done | great | nice | very good | you're great | thank you so much
good robot | perfect
= all.wish
show me everything {rel} | show me every thing {rel} | point out everything {rel} | mark everything {rel}
what is everything {rel}? | show everything {rel} | I want to see everything {rel} | mark each thing {rel}
let me see everything {rel} | show me every object {rel} | highlight everything {rel} | find each object {rel}
= all.kind
show me all the {kinds} | show me every {kind} | mark all {kinds} | point out all the {kinds} | find all the {kinds}
I want to see all the {kinds} | let me see all {kinds} | highlight all the {kinds} | show all {kinds}
mark every {kind} | find every {kind} | show me all {kinds}
= all.colour
show me everything {colour} | show me all the {colour} things | mark everything {colour}
point out all {colour} things | find everything {colour} | I want to see everything {colour}
let me see all {colour} things | highlight everything {colour} | show all {colour} objects | mark all {colour} objects
find all {colour} things | show me all that is {colour}
= take
pick {np} up | hand me {np} | hand {np} to me | bring me {np} | give me {np} | give {np} to me | take {np} | grab {np}
fetch {np} | pass me {np} | pass {np} to me | lift {np} | bring {np} here | bring {np} over | can you pick {np} up?
could you hand me {np}? | would you give me {np}? | show me exactly: {np} | show me {np} exactly | point at {np}
point to {np} | can you bring me {np}? | now take {np} | show me {np} | get me {np} | reach for {np}
lift {np} up a little
= part.explicit
grab {np} by the {part} | take {np} by the {part} | hold {np} by the {part} | pick {np} up by the {part}
show me the {part} of {np} | point at the {part} of {np} | where is the {part} of {np}? | lift {np} by the {part}
grip {np} at the {part} | touch the {part} of {np} | show me where the {part} of {np} is
can you grab {np} by the {part}? | could you hold {np} by the {part}? | point to the {part} of {np}
take hold of the {part} of {np} | grab the {part} of {np} | which bit is the {part} of {np}?
give me {np} by the {part} | reach for the {part} of {np} | hand me {np} by the {part}
= part.its
grab it by its {part} | take it by its {part} | hold it by its {part} | pick it up by its {part} | show me its {part}
point at its {part} | where is its {part}? | lift it by its {part} | touch its {part} | grip its {part}
show me where its {part} is | can you grab its {part}? | which bit is its {part}? | take hold of its {part}
= function.handle
where do I hold {np}? | where would my hand go on {np}? | where can I grip {np}? | where should I grab {np}?
show me where to hold {np} | how do I hold {np}, where do my fingers go? | where do you grip {np}?
which end of {np} do I hold? | point to where my hand goes on {np} | where is the grip on {np}?
show me the grip of {np} | which part of {np} do I grab? | where is it safe to hold {np}?
which part of {np} fits my hand? | show me the part of {np} for my fingers
= function.opens
open {np} | can you open {np}? | open {np} up | what do I lift to open {np}? | how do I open {np}?
where does {np} open? | which part opens {np}? | show me where {np} opens | could you open {np}?
where do I open {np}? | what opens {np}? | which part comes off to open {np}?
= function.inside
which part of {np} do I fill? | where does the filling of {np} go? | show me the part of {np} that gets filled
which part of {np} has room inside? | where would I put things into {np}? | which part of {np} holds the contents?
where are the contents of {np}? | point to the part of {np} that gets full | which part of {np} is hollow?
where is the inside of {np}? | show me the inside of {np} | which part of {np} can be full or empty?
where do the things in {np} go?
= function.spout
where does the tea come out of {np}? | where does {np} pour from? | show me where {np} pours
which part of {np} pours? | where will the tea leave {np}? | where does the water come out of {np}?
which end of {np} pours the tea? | point to where {np} drips | which bit of {np} does the tea run through?
show me where the tea would run out of {np} | point to the end of {np} that pours
= function.blade
which end of {np} cuts? | where is {np} sharp? | which part of {np} is sharp? | show me the sharp part of {np}
which part of {np} cuts the bread? | where could {np} cut me? | point to the sharp end of {np}
show me where {np} cuts | which bit of {np} is dangerous? | show me the metal that cuts on {np}
where is the cutting edge of {np}?
= function.head
which end of {np} hits the nail? | which part of {np} strikes? | show me the heavy end of {np}
where does {np} hit the nail? | which part of {np} touches the nail? | point to the end of {np} that hits
where is {np} heaviest? | which end of {np} strikes the nail? | show me the end of {np} that drives nails
which bit of {np} is heavy? | where would the nail meet {np}?
= function.shaft
which end of {np} goes into the screw? | which part of {np} turns the screw? | show me the end of {np} for the screw
where does {np} touch the screw? | which part of {np} is the metal rod? | point to the thin part of {np}
which part of {np} is thin? | where does {np} meet the screw? | show me the metal rod of {np}
which bit of {np} goes into a screw? | where is {np} thinnest?
= function.bowl
which end of {np} goes into the soup? | which part of {np} scoops? | which end of {np} goes into my mouth?
where does the soup sit in {np}? | show me the end of {np} that scoops | point to the round end of {np}
which part of {np} touches the soup? | where is {np} round? | show me the round part of {np}
which bit of {np} holds soup? | where on {np} do I put the sugar?
= function.bristles
which end of {np} paints? | which part of {np} goes into the paint? | show me the soft end of {np}
where is {np} soft? | which part of {np} touches the wall? | point to the hairy part of {np}
where does the paint go on {np}? | which end of {np} is soft? | show me what paints on {np}
which bit of {np} gets dirty with paint? | where are the hairs of {np}?
= function.base
what does {np} stand on, show me | which part of {np} stands on the table? | where does {np} stand?
show me the foot of {np} | which part of {np} keeps it upright? | point to the lower part of {np}
which end of {np} is at the bottom? | where does {np} touch the table? | show me where {np} touches the table
which bit of {np} is at the bottom? | where does {np} rest on the table?
= function.shade
which part of {np} glows? | where does the light of {np} come from? | show me the bright part of {np}
which end of {np} gives light? | which part of {np} covers the bulb? | point to where {np} lights up
where is the bulb of {np}? | which part of {np} is over the bulb? | show me where {np} glows
which bit of {np} gets bright? | point to the part of {np} around the bulb
= function.pages
which part of {np} do I read? | where is the text in {np}? | show me the paper of {np} | which part of {np} is paper?
point to the paper in {np} | where would I read in {np}? | which part of {np} has the story on it?
where are the words of {np}? | show me where the text of {np} is | which bit of {np} is made of paper?
where do I find the story in {np}?
"""
