"""What the words of dialogues are worth: by metrics of text, and by a language model that judges them."""
