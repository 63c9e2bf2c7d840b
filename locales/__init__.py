"""Message catalogs: one folder a language tag, one catalog a questionnaire and one for the bot."""
