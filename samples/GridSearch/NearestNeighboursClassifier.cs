using System.Runtime.CompilerServices;

namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>Searches all training rows for each prediction: with 1,437 rows of 64 features an index would not pay.</summary>
internal sealed class NearestNeighboursClassifier(Dataset training, int neighbourCount, Weighting weighting) : IClassifier
{
    private readonly float[] _distances = new float[neighbourCount];
    private readonly int[] _labels = new int[neighbourCount];
    private readonly double[] _votes = new double[training.ClassCount];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Predict(ReadOnlySpan<float> row)
    {
        Array.Fill(_distances, float.PositiveInfinity);
        for (var i = 0; i < training.Count; i++)
        {
            // Features are whole numbers up to 16, so squared distances are exact in a float and ties are real ties: the earlier row stays ahead.
            var distance = Vectors.SquaredDistance(training.Row(i), row);
            if (distance < _distances[^1])
            {
                Insert(distance, training.Labels[i]);
            }
        }

        return Vote();
    }

    private void Insert(float distance, int label)
    {
        var place = neighbourCount - 1;
        while (place > 0 && _distances[place - 1] > distance)
        {
            _distances[place] = _distances[place - 1];
            _labels[place] = _labels[place - 1];
            place--;
        }

        _distances[place] = distance;
        _labels[place] = label;
    }

    private int Vote()
    {
        // A row that equals a training row would have infinite weight: then only such neighbours vote, as in scikit-learn.
        var exact = _distances[0] == 0;
        Array.Clear(_votes);
        for (var i = 0; i < neighbourCount; i++)
        {
            _votes[_labels[i]] += weighting switch
            {
                Weighting.Uniform => 1,
                _ when exact => _distances[i] == 0 ? 1 : 0,
                _ => 1 / Math.Sqrt(_distances[i]),
            };
        }

        return Vectors.IndexOfLargest(_votes);
    }
}
