"""Lists in and out of spreadsheets: classes, staff, CSV."""
