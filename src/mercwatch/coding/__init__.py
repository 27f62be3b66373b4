"""How people and machines decide: dossiers for blind coders, coding sheets, agreement."""
