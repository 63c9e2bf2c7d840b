"""What staff change about who is who: another adult of a child, a new number, a phone passed on."""
