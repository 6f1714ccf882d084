"""The schema's history, one step a file. A step that was released is never edited."""
