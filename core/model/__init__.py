"""Values, events and their fold into a state. Pure: no clock, no file, no asyncio."""
