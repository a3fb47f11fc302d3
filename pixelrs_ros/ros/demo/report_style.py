"""How the demo's report looks."""

STYLE = """
:root { --ink: #1d2733; --quiet: #66727f; --line: #dfe5eb; --page: #f3f5f8; --card: #ffffff; --blue: #2b5d8a; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 2rem; letter-spacing: -.02em; }
header > p { margin: .2rem 0 1.4rem; color: var(--quiet); }
h2 { margin: 2.4rem 0 .8rem; font-size: 1.25rem; text-transform: capitalize; }
h2 small { font-weight: 400; color: var(--quiet); margin-left: .5rem; text-transform: none; }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; }
.tiles div { flex: 1 1 150px; background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: .8rem 1rem; color: var(--quiet); font-size: .85rem; }
.tiles b { display: block; color: var(--ink); font-size: 1.5rem; line-height: 1.3; }
header .legend { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; font-size: .82rem; margin: 1rem 0 0; }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 3px; margin-right: .4rem;
  vertical-align: -1px; }
.legend .truth { background: #7d8894; border: 2px solid #fff; outline: 1px solid #7d8894; }
article { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1.4rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 14px; padding: 1.1rem; margin-bottom: 1rem; }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: .7rem; align-content: start; }
figure { margin: 0; }
img { display: block; width: 100%; border-radius: 8px; }
figcaption, .quiet, .index { color: var(--quiet); font-size: .8rem; }
figcaption { margin-top: .3rem; }
.index { margin: 0 0 .4rem; text-transform: uppercase; letter-spacing: .06em; }
.said { margin: 0 0 .6rem; padding: .55rem .85rem; border-radius: 14px; width: fit-content; max-width: 95%;
  overflow-wrap: anywhere; }
.user { background: var(--blue); color: #fff; border-bottom-left-radius: 4px; }
.robot { background: #eef1f5; border-bottom-right-radius: 4px; margin-left: auto; }
mark { color: inherit; padding: 0 .15em; border-radius: 3px; }
.chip { display: inline-block; border: 1px solid var(--line); border-radius: 99px; padding: .05rem .7rem;
  margin: 0 .4rem .3rem 0; font-size: .82rem; }
.grounded { background: #dff3ea; border-color: #a6dcc4; }
.clarify, .answered { background: #e6eefb; border-color: #b9cff0; }
.not_found { background: #fdf1d8; border-color: #efd595; }
.bad_input, .internal_error, .unanswered { background: #fbe3df; border-color: #f0b4aa; }
.row { display: grid; grid-template-columns: 2.8rem 1fr 4.6rem; align-items: center; gap: .5rem; font-size: .88rem;
  margin-top: .35rem; }
.row b { text-align: right; font-variant-numeric: tabular-nums; }
.row > .quiet { grid-column: 2 / 4; }
.track { display: flex; height: .75rem; border-radius: 99px; background: #edf0f4; overflow: hidden; }
.fill { background: linear-gradient(90deg, #58a58c, #2a9d8f); }
.numbers { margin: .25rem 0 0 3.3rem; font-variant-numeric: tabular-nums; }
@media (max-width: 900px) { article { grid-template-columns: 1fr; } }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebf0; --quiet: #98a4b1; --line: #313b46; --page: #12171d; --card: #1b222a; --blue: #3a6f9f; }
  .robot, .track { background: #28323c; }
  .grounded { background: #17392c; border-color: #2c6a52; }
  .clarify, .answered { background: #1d2f49; border-color: #35547f; }
  .not_found { background: #40351a; border-color: #6d5a2a; }
  .bad_input, .internal_error, .unanswered { background: #482420; border-color: #7c3d36; }
}
"""
