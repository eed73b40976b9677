"""LitServe with the same model on the same protocol of one row a request: `python side.py MODEL.json PORT`."""

import sys
from typing import Any

import litserve  # type: ignore[import-not-found]  # its own environment has it
import numpy as np
import xgboost


class Api(litserve.LitAPI):  # type: ignore[misc]  # as above
    """Rows in, margins out."""

    def setup(self, device: str) -> None:
        """Load the model once."""
        del device
        self.model = xgboost.Booster(model_file=sys.argv[1])

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  its router reads it
        """Rows of numbers."""
        return np.array(request["inputs"], np.float32)

    def predict(self, rows: Any) -> Any:
        """Margins."""
        return self.model.inplace_predict(rows, predict_type="margin")

    def encode_response(self, output: Any) -> Any:
        """As JSON has them."""
        return {"outputs": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu", workers_per_device=1, timeout=60)
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
