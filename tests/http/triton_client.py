"""Drives a server by NVIDIA's own client, as its users would: triton_client.py HOST:PORT MODEL numbers|texts"""
import json
import sys
import urllib.request

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

address, model, kind = sys.argv[1:]
client = InferenceServerClient(address)


def id_of(number, letter):
    return number if kind == "numbers" else letter + str(number)


def v1(path, request):
    """The truth: what /v1 answers."""
    body = json.dumps(request).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"http://{address}/v1/{path}", body, headers)) as response:
        return json.load(response)


def tensor(name, values, dtype, binary):
    array = np.array(values, dtype=object if dtype is str else dtype)
    made = InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    return made.set_data_from_numpy(array, binary_data=binary)


def ids(name, letter, numbers, dtype, binary):
    values = [[id_of(n, letter) for n in row] for row in numbers]
    return tensor(name, values, dtype if kind == "numbers" else str, binary)


def refused(call, status, *arguments, **named):
    try:
        call(*arguments, **named)
    except InferenceServerException as e:
        assert e.status() == str(status), e
        assert isinstance(e.message(), str) and e.message(), e
        return e.message()
    raise AssertionError(f"{call} is not refused")


def same_floats(got, wanted):
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, np.array(wanted, dtype=np.float32))


def tells_about_itself():
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
    assert client.is_model_ready(model, "1") and not client.is_model_ready(model, "99")
    assert not client.is_model_ready("nobody")
    assert client.get_server_metadata()["name"] == "collide"
    metadata = client.get_model_metadata(model)
    assert metadata["name"] == model and metadata["versions"] == ["1"], metadata
    wanted = "UINT64" if kind == "numbers" else "BYTES"
    assert {"name": "items", "datatype": wanted, "shape": [-1, -1]} in metadata["inputs"], metadata
    assert client.get_model_metadata(model, "1") == metadata
    config = client.get_model_config(model)
    assert {"name": "scores", "data_type": "TYPE_FP32", "dims": [-1, -1]} in config["output"], config


def scores_in_all_forms():
    users, items = [[3], [4]], [[1, 2, 3], [4, 5, 999]]
    wanted = [v1("score", {"user": id_of(u[0], "u"), "items": [id_of(i, "i") for i in row]})["scores"]
              for u, row in zip(users, items)]
    dtypes = [np.int64, np.int32, np.uint64, np.uint32] if kind == "numbers" else [str]
    for dtype in dtypes:
        for binary in (True, False):
            inputs = [ids("user", "u", users, dtype, binary), ids("items", "i", items, dtype, not binary)]
            for outputs in (None, [InferRequestedOutput("scores", binary_data=True)],
                            [InferRequestedOutput("scores", binary_data=False)]):
                result = client.infer(model, inputs, outputs=outputs, request_id="a b", timeout=1000000)
                same_floats(result.as_numpy("scores"), wanted)
                answer = result.get_response()
                assert answer["id"] == "a b" and answer["model_name"] == model
                assert answer["parameters"]["unknown"] == 1, answer


def scores_histories():
    history, items = [[1, 2, 3], [4, 5, 6]], [[7, 8], [9, 10]]
    weights = np.array([[1, 0.5, 0.25], [2, 1, 1]], dtype=np.float32)
    inputs = [ids("history", "i", history, np.int64, True), tensor("weights", weights, np.float32, True),
              tensor("history_lengths", [3, 1], np.int32, True), ids("items", "i", items, np.int64, True)]
    wanted = [v1("score", {"history": [id_of(i, "i") for i in row[:n]], "weights": w[:n].tolist(),
                           "items": [id_of(i, "i") for i in some]})["scores"]
              for row, n, w, some in zip(history, (3, 1), weights, items)]
    same_floats(client.infer(model, inputs).as_numpy("scores"), wanted)


def finds_the_best():
    for binary in (True, False):
        outputs = [InferRequestedOutput(name, binary_data=binary) for name in ("items", "scores", "counts")]
        result = client.infer(model, [ids("user", "u", [[3], [4]], np.int64, True)], outputs=outputs,
                              parameters={"k": 5, "exclude_seen": True})
        assert result.as_numpy("counts").tolist() == [5, 5]
        for row, user in enumerate((3, 4)):
            wanted = v1("topk", {"user": id_of(user, "u"), "k": 5, "exclude_seen": True})
            got = result.as_numpy("items")[row].tolist()
            got = [i.decode() if isinstance(i, bytes) else i for i in got]
            assert got == wanted["items"], (got, wanted)
            same_floats(result.as_numpy("scores")[row], wanted["scores"])


def refuses_in_words():
    user, items = ids("user", "u", [[3]], np.int64, True), ids("items", "i", [[1]], np.int64, True)
    assert "nobody" in refused(client.infer, 404, "nobody", [user, items])
    assert '"99"' in refused(client.infer, 404, model, [user, items], model_version="99")
    assert "missing" in refused(client.infer, 400, model, [user])
    assert "negative" in refused(client.infer, 400, model, [user, tensor("items", [[-1]], np.int64, True)])
    assert "from 0 to" in refused(client.infer, 400, model, [user, tensor("items", [[-1]], np.int64, False)])
    assert "compressed" in refused(client.infer, 415, model, [user, items], request_compression_algorithm="gzip")
    refused(client.get_model_metadata, 404, "nobody")
    same = client.infer(model, [user, items], response_compression_algorithm="gzip")  # not obliged to compress
    assert same.as_numpy("scores").shape == (1, 1)


def manages_models():
    assert client.get_model_repository_index() == [{"name": model, "version": "1", "state": "READY", "reason": ""}]
    client.load_model(model)
    assert client.is_model_ready(model) and not client.is_model_ready(model, "1")
    client.unload_model(model)
    assert not client.is_model_ready(model) and client.is_server_live()
    assert client.get_model_repository_index()[0]["state"] == "UNAVAILABLE"
    refused(client.load_model, 404, "nobody")
    client.load_model(model)
    assert client.is_model_ready(model)
    scores_in_all_forms()


for check in (tells_about_itself, scores_in_all_forms, scores_histories, finds_the_best, refuses_in_words,
              manages_models):
    check()
    print("ok", check.__name__)
