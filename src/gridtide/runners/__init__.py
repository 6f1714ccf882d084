"""One event loop for each world, command dispatch, and what a person sees of a running bot."""
