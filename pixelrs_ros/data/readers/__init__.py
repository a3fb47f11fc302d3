"""Data sets of other people's forms behind one interface: dialogues about pictures with masks, one after another."""
