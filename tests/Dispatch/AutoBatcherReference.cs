namespace Orleans.Joblib.Tests;

/// <summary>joblib 1.6's AutoBatchingMixin, written down again from its description, with the cap that joblib does not have.</summary>
internal sealed class AutoBatcherReference(double minSeconds, double maxSeconds, int cap)
{
    private int _size = 1;
    private double _smoothed;

    internal double Smoothed => _smoothed;

    internal int ComputeBatchSize()
    {
        var size = _size;
        if (_smoothed > 0 && _smoothed < minSeconds)
        {
            // Python's integers have no end; a long is as good up to the cap.
            var ideal = 2 * (long)Math.Min(_size * minSeconds / _smoothed, 1e15);
            size = (int)Math.Min(cap, Math.Max(1, Math.Min(2L * _size, ideal)));
        }
        else if (_smoothed > maxSeconds && _size >= 2)
        {
            size = (int)Math.Min(cap, Math.Max(1, 2 * (long)(_size * minSeconds / _smoothed)));
        }

        if (size != _size)
        {
            _smoothed = 0;
            _size = size;
        }

        return size;
    }

    internal void BatchCompleted(int size, double seconds)
    {
        if (size == _size)
        {
            _smoothed = _smoothed == 0 ? seconds : (0.8 * _smoothed) + (0.2 * seconds);
        }
    }

    internal void Reset()
    {
        _size = 1;
        _smoothed = 0;
    }
}
