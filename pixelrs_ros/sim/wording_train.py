"""How people speak in the training and validation splits, slot by slot.

Slots that start with `np.` are noun phrases that stand for {np} in the others. Verbs of action (`ACTION_WORDS` in
`wording.py`) and names of parts mark the turns that are answered with names, so no other slot uses them, except to ask
for everything. `unknown` holds nouns for what is never in a scene.
"""

TRAIN_FRAMES = """
= prefix
hey robot, | ok, | um, | robot, | so, | hello, | alright, | uh, | now | listen, | hi, | hey, | okay, | okay robot,
good morning, | excuse me, | hey there, | yo, | all right, | dear robot, | hm, | oh, | yes,
= suffix
please | , please | , robot | , thanks | , ok? | now | for me | , if you can | , thank you robot | , will you?
if possible | , yes? | , right? | , my friend | whenever you can | , quickly
= np.it
it | it | it | it | that one | that | this one | that | this | that very one | that same one | the very one
that thing there
= np.other
the other one | the other one | the other | the other thing | the other one there | the remaining one
the one you did not choose | the other of the two | not that one but the other | the other of them
the other, not this
= np.color
the {color} one | the {color} one | the {color} one | the {color} thing | the one that is {color}
the one that's {color} | the {color} object | the one with the {color} color | the thing that is {color}
the one colored {color} | the thing in {color} | that thing with {color} on it | {color} one
whichever is {color} | the one of {color} color | the {color} colored thing | the {color} item
something {color}, that one | my {color} one | the {color}
= np.kind
the {kind} | the {kind} | that {kind} | the one that is {a_kind} | the {kind} there | the {kind} here
the thing called {a_kind} | that {kind} there | the {kind}, yes | my {kind} | this {kind} here | {a_kind}, that one
the {kind} you see there
= np.full
the {color} {kind} | the {color} {kind} | that {color} {kind} | the {kind} that is {color}
the {color} colored {kind} | that {kind} with the {color} color | my {color} {kind}
the {kind}, the {color} one | the {color} {kind} there
= np.left
the left one | the one on the left | the leftmost one | the left thing | the one further left
the one on the left side | the one to the left | the leftmost | the thing on the left | the one furthest left
the one to my left | the one more to the left | whichever is on the left | left one | the item on the left
the one at the left end | the one on my left | the left of them | on the left, that one
= np.right
the right one | the one on the right | the rightmost one | the right thing | the one further right
the one on the right side | the one to the right | the rightmost | the thing on the right | the one furthest right
the one to my right | the one more to the right | whichever is on the right | right one | the item on the right
the one at the right end | the one on my right | the right of them | on the right, that one
= np.near
the nearest one | the closest one | the one nearest to me | the one in front | the front one | the near one
the one closest to me | the nearest | the one at the front | whichever is closest | the one next to me
the thing in front | the front thing | the item in front | the one close to me | the one right in front of me
the one nearest to us
= np.far
the farthest one | the one farthest away | the one at the back | the far one | the back one | the one farthest from me
the most distant one | the farthest | the one in the back | whichever is farthest away | the one far away
the thing at the back | the back thing | the item at the back | the one way back there | the one farthest from us
the one behind all the others
= np.wish
the one {rel} | the one {rel} | the thing {rel} | the object {rel} | the item {rel} | whatever is there {rel}
something {rel} | whichever one {rel}
= wish.do
I want to {do} | I'd like to {do} | I need to {do} | I'm about to {do} | I'm going to {do} | I have to {do}
help me {do} | can you help me {do}? | could you help me {do}? | what do I need to {do}? | I feel like I should {do}
what would you use to {do}? | is there something to help me {do}? | I was thinking I could {do} | let me {do}
what can I use to {do}? | I plan to {do} | how am I supposed to {do}? | it's time to {do} | we want to {do}
I really have to {do} | I've got to {do} | if only I could {do} | I don't know how to {do} | I'd love to {do}
I'm trying to {do} | I was asked to {do} | I must {do} | I should {do} | my plan is to {do} | I'm supposed to {do}
we have to {do} | what do you have to {do}? | do you have anything to {do}? | what helps to {do}?
I can't wait to {do} | I'm here to {do} | the idea is to {do} | I was hoping to {do} | maybe I should {do}
what does one use to {do}? | how can I {do}? | how could we {do}? | I'm just about to {do} | somebody has to {do}
I wish I could {do} | before anything else I want to {do} | I have nothing to {do} with | with what could I {do}?
I'm not able to {do} like this | any idea how to {do}? | now I'd like to {do} | it would be nice to {do}
anything to {do} with?
= open.kind
I need {a_kind} | I want {a_kind} | I'd like {a_kind} | I'm looking for {a_kind} | {a_kind} please
I could use {a_kind} | do you see {a_kind} I could use? | I have to have {a_kind} | I'm after {a_kind}
can you find {a_kind}? | find {a_kind} | look for {a_kind} | I would love {a_kind} | what I need is {a_kind}
any {kind} here? I need one | I need some {kind} | could I have {a_kind}? | can I have {a_kind}?
I was looking for {a_kind} | my {kind} please | I was told there is {a_kind} | I'm missing {a_kind}
where's {a_kind}? | I'm searching for {a_kind} | {a_kind}, quickly | {a_kind} would help | I'm thinking of {a_kind}
please look for {a_kind} | it's {a_kind} that I need | some {kind} would be good
= open.color
I need something {color} | I want something {color} | I'd like something {color} | something {color} please
I'm looking for something {color} | find something {color} | can you find something {color}?
I like {color} things | look for something {color} | I'm after something {color} | it has to be {color}
{color} is what I need | any {color} thing will do | could I have something {color}?
can I have something {color}? | anything {color} please | I was looking for something {color}
I'm searching for something {color} | something {color} would help | the thing I need is {color}
please look for something {color} | I'm thinking of something {color}
= open.full
I need {a_full} | I want {np} | I'd like {np} | I'm looking for {np} | I need {np} | I want {a_full}
I'm looking for {a_full} | can you find {np}? | find {np} | look for {a_full} | what I need is {np} | I'm after {np}
could I have {np}? | can I have {a_full}? | I was looking for {a_full} | I'm searching for {np} | {a_full}, quickly
please look for {np} | I'm thinking of {a_full} | {a_full} would help | it's {np} that I need
= narrow
{np} | {np} | I mean {np} | I meant {np} | {np} please | I want {np} | I'd like {np} | I'd prefer {np}
I was thinking of {np} | it's {np} | {np} is what I want | {np} would be best | make it {np} | {np} looks right
I need {np} | let's say {np} | I think {np} | my choice is {np} | {np} is fine | I'm talking about {np}
I wanted {np} | then {np} | {np}, yes | {np} of course | {np} obviously | definitely {np} | probably {np}
{np} if I may choose | rather {np} | just {np} | only {np} | {np} will do | {np}, I guess | let's go for {np}
I'd go for {np} | I choose {np} | you know, {np} | well, {np} | I believe {np} | it has to be {np}
I had {np} in mind | the answer is {np} | {np} for me | {np} will be fine | {np} suits me
= correction
no, {np} | no, I mean {np} | not that one, {np} | no, not that one, {np} | sorry, I meant {np} | wrong one, {np}
no no, {np} | I said it badly, I mean {np} | that is not it, I want {np} | no, make it {np} | not this, {np}
actually, {np} | actually I'd prefer {np} | oh no, I meant {np} | that's wrong, it's {np} | no, rather {np}
nope, {np} | not what I meant, {np} | sorry, {np} | my mistake, {np} | nah, {np} | that's not the one, {np}
no, {np} please | I meant {np}, not that | you got it wrong, {np} | wrong thing, {np} | no, I had {np} in mind
I didn't mean that, {np} | not quite, {np} | close, but {np} | try again: {np} | no, the one I want is {np}
I was unclear, {np}
= change.do
forget it, I want to {do} instead | forget it, I'd rather {do} | never mind, I need to {do} now
no wait, first I have to {do} | I changed my mind, I want to {do} | change of plan, I'm going to {do}
on second thought I'd like to {do} | stop, I want to {do} instead | leave that, help me {do}
forget that, I have to {do} | something else: I want to {do} | no, let me {do} first | scrap that, I'd like to {do}
actually I'd rather {do} | wait, I want to {do} instead | forget what I said, I want to {do}
let's do something else, I need to {do} | not that, I must {do} first | hang on, I'd like to {do}
I no longer want that, I need to {do} | drop that, I have to {do} now | that can wait, I want to {do}
new plan: I want to {do} | oh, before that I need to {do} | sorry, I'd rather {do} | later maybe, now I want to {do}
skip that, help me {do} | cancel that, I'd like to {do} | no, first I'd like to {do}
= change.idiom
forget it, {idiom} | never mind, {idiom} | wait, {idiom} | forget that, {idiom} | I changed my mind, {idiom}
change of plan, {idiom} | leave that, {idiom} | stop, {idiom} | scrap that, {idiom} | something else: {idiom}
no wait, {idiom} | on second thought, {idiom} | forget what I said, {idiom} | skip that, {idiom}
cancel that, {idiom} | that can wait, {idiom} | new plan: {idiom} | drop that, {idiom} | not that now, {idiom}
later maybe, {idiom} | oh, I just noticed: {idiom} | let's do something else, {idiom}
= change.kind
forget it, I want {a_kind} instead | never mind, I need {a_kind} | I changed my mind, I'd like {a_kind}
wait, I'd rather have {a_kind} | forget that, I need {a_kind} | change of plan, I want {a_kind}
actually I'd rather have {a_kind} | leave that, I need {a_kind} | on second thought, {a_kind}
something else: {a_kind} | stop, I want {a_kind} instead | scrap that, {a_kind} please
forget what I said, I need {a_kind} | skip that, I want {a_kind} | cancel that, I'd like {a_kind}
that can wait, I need {a_kind} | new plan: {a_kind} | drop that, I want {a_kind}
let's do something else, I need {a_kind} | not that now, {a_kind} please
= question.count_all
how many things are on the table? | how many objects are there? | how many things do you see?
how many objects can you see? | can you count the objects? | count the things on the table
how many items are on the table? | how many things are here? | what is the number of objects?
how much stuff is on the table? | how full is the table, how many things? | how many things in total?
how many things have you found? | tell me the number of things | how many different things are here?
what is the count of objects? | how many things stand on the table? | count everything | how many objects, in all?
= question.count_kind
how many {kinds} are there? | how many {kinds} do you see? | how many {kinds} are on the table? | count the {kinds}
can you count the {kinds}? | what is the number of {kinds}? | how many {kinds} can you see?
how many {kinds} are here? | how many {kinds} in total? | do you know how many {kinds} there are?
how many {kinds} have we got? | number of {kinds}? | tell me the number of {kinds} | how many {kinds}?
how many {kinds} have you found? | what is the count of {kinds}? | {kinds}: how many?
are there several {kinds}, and how many? | how many {kinds} have you seen?
= question.any_kind
is there {a_kind}? | do you see {a_kind}? | is there {a_kind} on the table? | is {a_kind} here?
can you see {a_kind}? | is there {a_kind} somewhere? | do we have {a_kind}? | have we got {a_kind}?
is there any {kind}? | is there {a_kind} here? | are there any {kinds}? | do you know if there is {a_kind}?
any {kind}? | any {kinds} here? | is there {a_kind} at all? | tell me if there is {a_kind} | did you see {a_kind}?
there is {a_kind}, right? | have you seen {a_kind}? | do you notice {a_kind}? | could there be {a_kind}?
is that {a_kind} there?
= question.any_color
is anything {color} here? | is there anything {color}? | do you see anything {color}? | is anything {color}?
can you see something {color}? | is there a {color} thing on the table? | are there any {color} things?
is something {color}? | is any of it {color}? | do we have anything {color}?
is there anything {color} on the table? | are any objects {color}? | anything {color}? | any {color} things?
is there anything {color} at all? | did you see anything {color}? | tell me if anything is {color}
have you seen anything {color}? | any objects in {color}? | is there something in {color}?
= question.help
what can you do? | who are you? | can you help me? | are you ready? | how do you work? | are you a robot?
can you hear me? | what are you good at? | do you understand me? | are you there? | what is your job?
can I ask you something? | what do you do? | what should I tell you? | how does this work? | what can I ask you?
what's your name? | do you work? | hello? | are you on? | could you help me?
= question.thanks
thank you | thanks | thanks a lot | good job | well done | great | nice | very good | you're great | thank you so much
good robot | perfect | thank you, robot | many thanks | you're the best | lovely | wonderful | cheers | good
excellent | that was quick | amazing
= all.wish
show me everything {rel} | show me every thing {rel} | point out everything {rel} | mark everything {rel}
what is everything {rel}? | show everything {rel} | I want to see everything {rel} | mark each thing {rel}
let me see everything {rel} | show me every object {rel} | highlight everything {rel} | find each object {rel}
mark whatever is {rel} | highlight all things {rel} | find me everything {rel} | show me whatever is there {rel}
show me all things {rel} | list everything {rel}
= all.kind
show me all the {kinds} | show me every {kind} | mark all {kinds} | point out all the {kinds} | find all the {kinds}
I want to see all the {kinds} | let me see all {kinds} | highlight all the {kinds} | show all {kinds}
mark every {kind} | find every {kind} | show me all {kinds} | find me all the {kinds} | show me each {kind}
mark each {kind} | all the {kinds}, show them | list all the {kinds} | show the {kinds}, all of them
= all.color
show me everything {color} | show me all the {color} things | mark everything {color}
point out all {color} things | find everything {color} | I want to see everything {color}
let me see all {color} things | highlight everything {color} | show all {color} objects | mark all {color} objects
find all {color} things | show me all that is {color} | find me everything {color} | show me each {color} thing
mark each {color} object | all that is {color}, show it | list everything {color} | highlight each {color} thing
= take
pick {np} up | hand me {np} | hand {np} to me | bring me {np} | give me {np} | give {np} to me | take {np} | grab {np}
fetch {np} | pass me {np} | pass {np} to me | lift {np} | bring {np} here | bring {np} over | can you pick {np} up?
could you hand me {np}? | would you give me {np}? | show me exactly: {np} | show me {np} exactly | point at {np}
point to {np} | can you bring me {np}? | now take {np} | show me {np} | get me {np} | reach for {np}
lift {np} up a little | get {np} | get {np} for me | go get {np} | go and get {np} | grab me {np}
I want you to bring me {np} | pick {np} | you can take {np} | let's take {np} | hold {np} | hold {np} up
do bring me {np} | you may pick {np} up | touch {np} | could you pass me {np}? | can you hand me {np}?
can you get me {np}? | could you fetch {np}? | may I ask you to bring {np}?
would you mind handing {np} over? I want to take it | robot, take {np} | go ahead and take {np}
show me where {np} is | where is {np} exactly? | where exactly is {np}? | point me to {np} | bring {np}
hand {np} over | pass {np} | fetch me {np} | give {np} here | lift {np} up | lift {np} for me
take {np} and bring it here | go over and grab {np} | grab hold of {np}
= part.explicit
grab {np} by the {part} | take {np} by the {part} | hold {np} by the {part} | pick {np} up by the {part}
show me the {part} of {np} | point at the {part} of {np} | where is the {part} of {np}? | lift {np} by the {part}
grip {np} at the {part} | touch the {part} of {np} | show me where the {part} of {np} is
can you grab {np} by the {part}? | could you hold {np} by the {part}? | point to the {part} of {np}
take hold of the {part} of {np} | grab the {part} of {np} | which bit is the {part} of {np}?
give me {np} by the {part} | reach for the {part} of {np} | hand me {np} by the {part} | the {part} of {np}
the {part} of {np} please | {part} of {np} | I need the {part} of {np} | I mean the {part} of {np}
only the {part} of {np} | use the {part} of {np} | just the {part} of {np} | what about the {part} of {np}?
now the {part} of {np} | go for the {part} of {np} | where's the {part} on {np}? | mark the {part} of {np}
find the {part} of {np} | could you point at the {part} of {np}? | get hold of {np} by the {part}
put your fingers on the {part} of {np} | carry {np} by the {part} | where can I see the {part} of {np}?
can you touch the {part} of {np}? | bring me {np}, hold it by the {part} | where does {np} have its {part}?
can you lift {np} by the {part}? | take {np}, but by the {part}
= part.its
grab it by its {part} | take it by its {part} | hold it by its {part} | pick it up by its {part} | show me its {part}
point at its {part} | where is its {part}? | lift it by its {part} | touch its {part} | grip its {part}
show me where its {part} is | can you grab its {part}? | which bit is its {part}? | take hold of its {part}
its {part} | its {part} please | only its {part} | the {part} | the {part} of it | just the {part} | I mean its {part}
mark its {part} | find its {part} | where's its {part}? | could you point at its {part}? | carry it by its {part}
use its {part} | now its {part} | can you touch its {part}? | what about its {part}? | get hold of its {part}
by the {part}, take it | bring it to me, hold it by its {part} | could you grab it by the {part}?
= function.handle
where do I hold {np}? | where would my hand go on {np}? | where can I grip {np}? | where should I grab {np}?
show me where to hold {np} | how do I hold {np}, where do my fingers go? | where do you grip {np}?
which end of {np} do I hold? | point to where my hand goes on {np} | where is the grip on {np}?
show me the grip of {np} | which part of {np} do I grab? | where is it safe to hold {np}?
which part of {np} fits my hand? | show me the part of {np} for my fingers | where would you hold {np}?
where do I put my hand to carry {np}? | where must I grip {np}? | how would one hold {np}, and where?
what do I hold when I lift {np}? | point to the end of {np} that I hold | where do I take hold of {np}?
where could I hold {np}? | show me a good grip on {np} | which end of {np} is for the hand?
grab {np} where people hold it | hold {np} where a hand should go
take {np} the way one should hold it, where the hand goes
= function.opens
open {np} | can you open {np}? | open {np} up | what do I lift to open {np}? | how do I open {np}?
where does {np} open? | which part opens {np}? | show me where {np} opens | could you open {np}?
where do I open {np}? | what opens {np}? | which part comes off to open {np}? | what must I lift off to open {np}?
what do I take off to open {np}? | how can one open {np}, and where? | where should I open {np}?
show me what opens {np} | which part do I turn to open {np}? | point at what closes {np}
what keeps {np} closed, show me | which part closes {np}? | let me open {np}, where? | I'd like to open {np}
{np} should be open
= function.inside
which part of {np} do I fill? | where does the filling of {np} go? | show me the part of {np} that gets filled
which part of {np} has room inside? | where would I put things into {np}? | which part of {np} holds the contents?
where are the contents of {np}? | point to the part of {np} that gets full | which part of {np} is hollow?
where is the inside of {np}? | show me the inside of {np} | which part of {np} can be full or empty?
where do the things in {np} go? | where is the room in {np}, show me | what part of {np} has the contents, show me
which part of {np} would be full? | show me where the contents of {np} are | where could I put something into {np}?
which part of {np} can I fill up? | where does {np} keep what is in it? | point at the part of {np} that one fills
= function.spout
where does the tea come out of {np}? | where does {np} pour from? | show me where {np} pours
which part of {np} pours? | where will the tea leave {np}? | where does the water come out of {np}?
which end of {np} pours the tea? | point to where {np} drips | which bit of {np} does the tea run through?
show me where the tea would run out of {np} | point to the end of {np} that pours
where does the stream come out of {np}? | point to where the tea comes out of {np}
which part of {np} has the tea run out? | where will it drip from {np}? | where would {np} spill when I tip it?
which part of {np} is for pouring? | which end of {np} do I point at the mug? | show me the pouring end of {np}
= function.blade
which end of {np} cuts? | where is {np} sharp? | which part of {np} is sharp? | show me the sharp part of {np}
which part of {np} cuts the bread? | where could {np} cut me? | point to the sharp end of {np}
show me where {np} cuts | which bit of {np} is dangerous? | show me the metal that cuts on {np}
where is the cutting edge of {np}? | which side of {np} is sharp? | where should I be careful with {np}?
where must I not touch {np}? | show me what cuts on {np} | which part of {np} slices?
which part of {np} needs sharpening? | where would {np} hurt me? | show me the steel of {np}
point to what cuts on {np} | which end of {np} goes through the bread?
= function.head
which end of {np} hits the nail? | which part of {np} strikes? | show me the heavy end of {np}
where does {np} hit the nail? | which part of {np} touches the nail? | point to the end of {np} that hits
where is {np} heaviest? | which end of {np} strikes the nail? | show me the end of {np} that drives nails
which bit of {np} is heavy? | where would the nail meet {np}? | where is the weight of {np}?
which part of {np} bangs on the nail? | show me what hits the nail on {np} | where is {np} heavy?
which side of {np} drives nails? | which part of {np} does the hitting? | point at the heavy part of {np}
with which part of {np} do I hit? | where is the metal lump of {np}?
= function.shaft
which end of {np} goes into the screw? | which part of {np} turns the screw? | show me the end of {np} for the screw
where does {np} touch the screw? | which part of {np} is the metal rod? | point to the thin part of {np}
which part of {np} is thin? | where does {np} meet the screw? | show me the metal rod of {np}
which bit of {np} goes into a screw? | where is {np} thinnest? | where is the rod of {np}?
which part of {np} reaches the screw? | show me the long metal bit of {np}
point to the end of {np} that turns screws | where does {np} fit into the screw?
which part of {np} is long and thin? | which end of {np} is for the screw? | show me what goes into the screw on {np}
= function.bowl
which end of {np} goes into the soup? | which part of {np} scoops? | which end of {np} goes into my mouth?
where does the soup sit in {np}? | show me the end of {np} that scoops | point to the round end of {np}
which part of {np} touches the soup? | where is {np} round? | show me the round part of {np}
which bit of {np} holds soup? | where on {np} do I put the sugar? | which part of {np} holds the sugar?
where would the soup go on {np}? | which end of {np} do I eat from? | which part of {np} is hollow and round?
show me the scooping end of {np} | point to the end of {np} for the mouth | where does {np} hold the soup?
which end of {np} do I eat with?
= function.bristles
which end of {np} paints? | which part of {np} goes into the paint? | show me the soft end of {np}
where is {np} soft? | which part of {np} touches the wall? | point to the hairy part of {np}
where does the paint go on {np}? | which end of {np} is soft? | show me what paints on {np}
which bit of {np} gets dirty with paint? | where are the hairs of {np}? | which part of {np} is hairy?
where is the paint on {np}? | show me the hairy end of {np} | which side of {np} paints the wall?
point to the soft part of {np} | where do I dip {np}, which end? | which end of {np} goes on the wall?
which part of {np} sweeps?
= function.base
what does {np} stand on, show me | which part of {np} stands on the table? | where does {np} stand?
show me the foot of {np} | which part of {np} keeps it upright? | point to the lower part of {np}
which end of {np} is at the bottom? | where does {np} touch the table? | show me where {np} touches the table
which bit of {np} is at the bottom? | where does {np} rest on the table? | what keeps {np} from falling over, show me
which part of {np} is on the table? | point to the bottom of {np} | show me the stand of {np}
on which part does {np} stand? | which part of {np} rests on the table? | where is the foot of {np}?
show me the bottom part of {np}
= function.shade
which part of {np} glows? | where does the light of {np} come from? | show me the bright part of {np}
which end of {np} gives light? | which part of {np} covers the bulb? | point to where {np} lights up
where is the bulb of {np}? | which part of {np} is over the bulb? | show me where {np} glows
which bit of {np} gets bright? | point to the part of {np} around the bulb | which part of {np} lights up?
where does {np} shine? | show me what shines on {np} | which part of {np} gets warm and bright?
point to what hides the bulb of {np} | which part of {np} shines? | where is the glow of {np}?
show me the part of {np} that gives light
= function.pages
which part of {np} do I read? | where is the text in {np}? | show me the paper of {np} | which part of {np} is paper?
point to the paper in {np} | where would I read in {np}? | which part of {np} has the story on it?
where are the words of {np}? | show me where the text of {np} is | which bit of {np} is made of paper?
where do I find the story in {np}? | which part of {np} do I turn when I read? | show me the sheets of {np}
where are the sheets in {np}? | which part of {np} has words? | point to the part of {np} that I read
where is the paper of {np}? | which part of {np} is printed? | show me where I can read in {np}
= two.do
{first} and {second} | {first} and also {second} | {first} and besides {second} | {first}, and {second}
{first} plus {second} | both {first} and {second} | {first}, and on top of that {second}
= two.idiom
{first} and {second} | {first}, and {second} | {first} and besides {second} | {first}, and likewise {second}
{first}, plus {second} | {first}. Besides, {second} | {first}, and on top of that {second}
two things: {first} and {second}
= part.kind
{kind} {part} | the {kind} {part} | {kind}, the {part} | the {kind}'s {part} | show me the {kind} {part}
grab the {kind} {part} | point at the {kind}'s {part} | where is the {kind}'s {part}?
= part.full
{color} {kind} {part} | the {color} {kind} {part} | the {color} {kind}'s {part} | {color} {kind}, the {part}
show me the {color} {kind} {part} | grab the {color} {kind}'s {part} | where is the {color} {kind}'s {part}?
= filler
uh | um | er | you know | like | well | so | hmm | uhm | kind of | sort of | okay | right, um | uh, you know
= hedge
I think | I guess | I suppose | maybe | perhaps | if that's possible | if that's ok | I believe | if you don't mind
if it's no trouble | as far as I know | or so | more or less
= aside.before
my knee hurts today | sorry, the phone rang | it's late already | what a day | I slept badly
oh my, I'm so slow today | I know I ask a lot | I forgot my glasses | it's a bit loud here
sorry, I was talking to someone else | it's nice to see you | don't laugh | this may sound silly | my arm is tired
I have no time | quick question | one more thing
= aside.after
I'm in a hurry | my hands are full | don't be too slow | if you have time | no rush | I owe you one | my wife asked me
there's no hurry | you're so kind | it's urgent | or I will be late | I can't do it myself | as always
if it's not too much
= courtesy
would you be so kind as to {ask}? | could you possibly {ask}? | I would be grateful if you could {ask}
could you kindly {ask}? | if it isn't too much trouble, could you {ask}? | do you think you could {ask}?
would it be possible to {ask}? | would you please {ask}? | I was wondering if you could {ask} | kindly {ask}
might I ask you to {ask}? | be so good as to {ask} | I'd be so happy if you could {ask}
if you don't mind, please {ask} | may I trouble you to {ask}?
= unknown
toaster | umbrella | phone | laptop | keyboard | shoe | hat | glove | sock | candle | pillow | towel | clock | watch
camera | mirror | guitar | violin | drum | helmet | backpack | suitcase | wallet | key | coin | ring | necklace | comb
razor | sponge | plate | fork | tray | grater | corkscrew | funnel | sieve | microwave | fridge | heater | fan | drill
saw | wrench | axe | shovel | rake | ladder | stapler | pencil | pen | ruler | eraser | globe | puzzle | kite | doll
balloon | printer | television | radio | remote | charger | cable | magnet | telephone | piano | flute | potato
carrot | onion | egg | cookie | cake | pizza | sausage | flower | cactus | vase | stone | feather | shell | rope
chain | belt | jacket | shirt | tie | needle | thermometer | scale | bell | whistle | pumpkin | melon | broom | mop
bucket | hose | tent | compass | map | flag | statue | trophy | crown | mask | tablet | sofa | bed | curtain | carpet
bicycle | scooter | car | truck | train | plane | boat | rocket | dinosaur | bear | cat | dog | duck | horse | frog
"""
