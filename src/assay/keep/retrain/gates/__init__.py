"""What a model that was trained again has to show, one gate a file: facts in, one sentence of verdict out."""
