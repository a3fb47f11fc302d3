"""A vision-language model that names boxes, and SAM 2 that cuts masks out of them, as transformers has them."""
