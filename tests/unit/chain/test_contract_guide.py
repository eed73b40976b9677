"""What docs/guides/contract.md shows of a consumer compiles, beside the interface that it calls."""

import re
from pathlib import Path

from assay.chain.compile import compile_solidity

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "guides" / "contract.md").read_text(encoding="utf-8")
INTERFACE = (ROOT / "contracts" / "src" / "interfaces" / "IAssayVerifier.sol").read_text(encoding="utf-8")
AROUND = """
contract Consumer {{
    error InvalidProof();

    function use(
        IAssayVerifier verifier, bytes calldata proof, uint256[] calldata row, int256 answer, uint256 period
    ) external view {{
{snippet}
    }}
}}
"""


def test_the_snippet_compiles():
    (snippet,) = re.findall(r"```solidity\n(.*?)```", GUIDE, re.DOTALL)
    assert "verifier.verify(proof, words)" in snippet
    assert "Consumer" in compile_solidity({"Consumer.sol": INTERFACE + AROUND.format(snippet=snippet)})
