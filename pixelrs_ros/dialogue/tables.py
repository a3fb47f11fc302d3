"""The tables of the store of dialogues, and how those of earlier versions become today's."""

VERSION = 4  # of the tables
APPLICATION_ID = 0x50585253
_MARKS = """
CREATE TABLE marks (
    dialogue INTEGER NOT NULL,
    number INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (dialogue, number),
    FOREIGN KEY (dialogue, number) REFERENCES turns ON DELETE CASCADE
) WITHOUT ROWID;
"""
SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
CREATE TABLE dialogues (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE,
    next_turn INTEGER NOT NULL,
    active_ns INTEGER NOT NULL
);
CREATE INDEX by_activity ON dialogues (active_ns);
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY,
    dialogue INTEGER NOT NULL REFERENCES dialogues ON DELETE CASCADE,
    digest BLOB NOT NULL,
    jpeg BLOB NOT NULL,
    UNIQUE (dialogue, digest)
);
CREATE TABLE turns (
    dialogue INTEGER NOT NULL REFERENCES dialogues ON DELETE CASCADE,
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    answer TEXT NOT NULL,
    status TEXT NOT NULL,
    instruction_ns INTEGER NOT NULL,
    image_ns INTEGER NOT NULL,
    frame_id TEXT NOT NULL,
    picture INTEGER REFERENCES pictures,
    instruction_id TEXT NOT NULL DEFAULT '',
    point_x REAL,
    point_y REAL,
    PRIMARY KEY (dialogue, number)
) WITHOUT ROWID;
CREATE INDEX by_picture ON turns (picture);
CREATE TABLE masks (
    dialogue INTEGER NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    phrase TEXT NOT NULL,
    score REAL NOT NULL,
    height_px INTEGER NOT NULL,
    width_px INTEGER NOT NULL,
    bits BLOB NOT NULL,
    PRIMARY KEY (dialogue, number, place),
    FOREIGN KEY (dialogue, number) REFERENCES turns ON DELETE CASCADE
) WITHOUT ROWID;
{_MARKS}
"""
# By the version that they turn into the next one.
UPGRADES = {
    1: "ALTER TABLE turns ADD COLUMN instruction_id TEXT NOT NULL DEFAULT ''; PRAGMA user_version = 2;",
    2: f"{_MARKS} PRAGMA user_version = 3;",
    3: "ALTER TABLE turns ADD COLUMN point_x REAL; ALTER TABLE turns ADD COLUMN point_y REAL; PRAGMA user_version = 4;",
}
SMALL_TABLES = ("dialogues", "turns", "masks", "marks")  # tables that stay small: checked whatever the size of the file
# Every column that is read; a store that lacks one is not whole.
COLUMNS = {
    "dialogues": {"id", "session_id", "next_turn", "active_ns"},
    "pictures": {"id", "dialogue", "digest", "jpeg"},
    "turns": {
        "dialogue", "number", "text", "answer", "status", "instruction_ns", "image_ns", "frame_id", "picture",
        "instruction_id", "point_x", "point_y",
    },
    "masks": {"dialogue", "number", "place", "phrase", "score", "height_px", "width_px", "bits"},
    "marks": {"dialogue", "number", "verdict", "note"},
}  # fmt: skip
