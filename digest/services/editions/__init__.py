"""An edition from draft to mail: built, rendered, proofread, composed for each reader, personalised."""
