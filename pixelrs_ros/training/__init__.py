"""How a network is trained. Nothing at run time imports this."""
