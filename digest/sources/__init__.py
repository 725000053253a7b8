"""One file a source: bytes in, sightings out. http.py is the one getter; nothing here decides or stores."""
