"""Graph: the recorded graph, run again with every value and every gradient kept."""

import numpy as np
import pytest

from autograd import Graph, grad, tensor


def neuron():
    """The sigmoid neuron of the CS231n notes."""
    w = [tensor(v, requires_grad=True) for v in (2.0, -3.0, -3.0)]
    x = [tensor(v, requires_grad=True) for v in (-1.0, -2.0)]
    return w, x, 1 / (1 + np.exp(-(w[0] * x[0] + w[1] * x[1] + w[2])))


def test_nodes_are_in_topological_order_and_leaves_in_that_of_use():
    w, x, y = neuron()
    graph = Graph(y)
    assert [node.name for node in graph.nodes] == ["mul", "mul", "add", "add", "neg", "exp", "add", "div"]
    position = {node: i for i, node in enumerate(graph.nodes)}
    assert all(position.get(parent, -1) < i for node, i in position.items() for parent in node.parents)
    assert [id(leaf) for leaf in graph.leaves] == [id(t) for t in (w[0], x[0], w[1], x[1], w[2])]


def test_forward_and_backward_give_every_number_of_the_figure():
    w, x, y = neuron()
    graph = Graph(y)
    values, gradients = graph.forward(), graph.backward()
    assert [round(float(values[node]), 2) for node in graph.nodes] == [-2, 6, 4, 1, -1, 0.37, 1.37, 0.73]
    assert [round(float(gradients[node]), 2) for node in graph.nodes] == [0.2, 0.2, 0.2, 0.2, -0.2, -0.53, -0.53, 1]
    assert [round(float(gradients[leaf]), 2) for leaf in (*w, *x)] == [-0.2, -0.39, 0.2, 0.39, -0.59]


def test_forward_follows_the_leaves():
    x = tensor([1.0, 2.0], requires_grad=True)
    y = (x * x + 1).sum()
    graph = Graph(y)
    x.array[...] = [3, 4]
    assert graph.forward()[y.node] == 27


def test_contributions_add_up_at_forks():
    x = tensor(3.0, requires_grad=True)
    y = x * x + x
    graph = Graph(y)
    graph.backward()
    shares = [g for (node, i), g in graph.contributions.items() if node.parents[i] is x]
    assert sorted(float(g) for g in shares) == [1, 3, 3]
    assert graph.gradients[x] == 7
    earlier = graph.contributions
    graph.backward(np.float32(2))
    assert sorted(map(float, earlier.values())) == [1, 1, 3, 3] and graph.gradients[x] == 14


def test_looking_at_a_graph_changes_nothing():
    x = tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    graph = Graph(y)
    graph.forward()
    graph.backward()
    assert x.grad is None
    y.backward()
    assert x.grad.tolist() == [2, 4]


def test_several_outputs_with_their_gradients():
    x = tensor([1.0, 2.0], requires_grad=True)
    a, b = x * 2, x * x
    graph = Graph(a, b)
    graph.backward(np.ones(2, np.float32), np.full(2, 10, np.float32))
    assert graph.gradients[x].tolist() == [2 + 20, 2 + 40]


def test_an_operation_with_several_outputs_runs_again():
    x = tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, _ = x.sort()
    y = (values * tensor([1.0, 10.0, 100.0])).sum()
    graph = Graph(y)
    assert graph.forward()[y.node] == y.item()
    graph.backward()
    assert graph.gradients[x].tolist() == grad(y, x)[0].tolist()


def test_a_leaf_alone_is_a_graph():
    x = tensor(2.0, requires_grad=True)
    graph = Graph(x)
    assert graph.nodes == []
    assert graph.forward()[x] == 2
    assert graph.backward()[x] == 1


def test_a_released_graph_says_what_to_do():
    x = tensor(2.0, requires_grad=True)
    y = x * x
    y.backward()
    with pytest.raises(RuntimeError, match=r"released.*before backward\(\).*retain_graph=True"):
        Graph(y)
    with pytest.raises(RuntimeError, match="does not require gradients"):
        Graph(tensor(1.0))


def test_one_step_of_the_way_back():
    x, w = tensor(3.0, requires_grad=True), tensor(5.0, requires_grad=True)
    y = (x * w) ** 2
    graph = Graph(y)
    assert graph.pull_back(graph.nodes[0], np.float32(2.0)) == {0: 10, 1: 6}
    assert graph.pull_back(graph.nodes[1], np.float32(2.0)) == {0: 2 * 2 * 15}  # and no further
    assert graph.gradients == {}
