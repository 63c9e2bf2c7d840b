"""The revisions. One that was released is never edited."""
