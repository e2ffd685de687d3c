"""The browser's modules, driven by the vectors that any client must pass, in every engine."""

from pathlib import Path
from typing import Any

import pytest

from dashboard.browser import import_map, module_url
from tests.browser.engines import Engine
from tests.vector_cases import differences, vector_cases, vector_names

RUNNERS = Path(__file__).parent / "vectors"

pytestmark = pytest.mark.browser

INSTALL = """
(map) => {
  const script = document.createElement("script");
  script.type = "importmap";
  script.textContent = JSON.stringify(map);
  document.head.append(script);
}
"""

# A case that throws leaves the others be.
RUN = """
async ({name, cases}) => {
  const {run} = await import(`vectors/${name}.js`);
  const attempt = async (one) => run(one);
  const told = (error) => ({thrown: `${error}\\n${error.stack}`});
  return Promise.all(cases.map((one) => attempt(one).catch(told)));
}
"""


@pytest.fixture(scope="module")
def prepared(engine: Engine) -> Engine:
    """An empty page in which the modules can be imported as on the dashboard, and the runners."""
    paths = {f"vectors/{path.name}": path for path in RUNNERS.glob("*.js")}
    runners = {name: module_url(name, path) for name, path in paths.items()}
    engine.open("about:blank")
    engine.run(INSTALL, {"imports": {**import_map()["imports"], **runners}})
    return engine


@pytest.mark.parametrize("name", vector_names())
def test_the_vectors_pass(prepared: Engine, name: str) -> None:
    cases = vector_cases(name)
    told: list[dict[str, Any]] = prepared.run(RUN, {"name": name, "cases": cases})
    wrong = {
        case["name"]: [one["thrown"]] if "thrown" in one else differences(case, one)
        for case, one in zip(cases, told, strict=True)
    }
    assert {case: lines for case, lines in wrong.items() if lines} == {}
