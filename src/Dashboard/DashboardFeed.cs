using System.Threading.Channels;

namespace Orleans.Joblib;

/// <summary>What open pages get: a frame with everything first, then one for each look at the cluster. One loop looks for all pages, while there are any.</summary>
internal sealed class DashboardFeed(ClusterMonitor monitor, DashboardOptions options, string? grainsPath) : IAsyncDisposable
{
    internal const int MostPages = 64;

    // A page that reads slower than that starts anew: a frame tells what has changed.
    private const int MostWaiting = 8;

    private readonly Lock _gate = new();
    private readonly DashboardHistory _history = new(options.ClusterName ?? "", grainsPath);
    private readonly List<Channel<byte[]>> _pages = [];
    private readonly CancellationTokenSource _ending = new();
    private Task _looking = Task.CompletedTask;
    private bool _isLooking;
    private bool _ended;

    internal ClusterMonitor Monitor => monitor;

    internal int PageCount
    {
        get
        {
            lock (_gate)
            {
                return _pages.Count;
            }
        }
    }

    /// <summary>A page opens.</summary>
    /// <returns>Its frames; null when there are too many pages, or the dashboard ends.</returns>
    internal ChannelReader<byte[]>? Open()
    {
        lock (_gate)
        {
            if (_ended || _pages.Count == MostPages)
            {
                return null;
            }

            var page = Channel.CreateBounded<byte[]>(MostWaiting);
            page.Writer.TryWrite(_history.FirstFrame());
            _pages.Add(page);
            if (!_isLooking)
            {
                _isLooking = true;
                _looking = Task.Run(LookAsync);
            }

            return page.Reader;
        }
    }

    internal void Close(ChannelReader<byte[]> page)
    {
        lock (_gate)
        {
            _pages.RemoveAll(open => open.Reader == page);
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _ended = true;
            _pages.ForEach(page => page.Writer.TryComplete());
            _pages.Clear();
        }

        await _ending.CancelAsync().ConfigureAwait(false);
        await _looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private void Send(Channel<byte[]> page, byte[] frame)
    {
        if (page.Writer.TryWrite(frame))
        {
            return;
        }

        while (page.Reader.TryRead(out _))
        {
        }

        page.Writer.TryWrite(_history.FirstFrame());
    }

    private async Task LookAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            ClusterView? view = null;
            string? fault = null;
            try
            {
                view = await monitor.LookAsync(_ending.Token).ConfigureAwait(false);
            }
            catch (JoblibException exception)
            {
                fault = exception.Message;
            }
            catch (OperationCanceledException)
            {
                return;
            }

            lock (_gate)
            {
                var frame = view is null ? DashboardFrame.OfFault(fault!) : _history.Take(view);
                _pages.ForEach(page => Send(page, frame));
                if (_pages.Count == 0)
                {
                    _isLooking = false;
                    return;
                }
            }

            await Task.Delay(options.Period, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
