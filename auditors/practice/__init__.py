"""Tables that laws and practice ask for, from what a report has counted: four-fifths, NYC Local Law 144, lending."""
