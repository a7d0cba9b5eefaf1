namespace Orleans.Joblib;

/// <summary>One silo's large arrays. Its key is the silo's address, which also places it.</summary>
[Alias("Orleans.Joblib.IArrayGrain")]
public interface IArrayGrain : IGrainWithStringKey
{
    /// <summary>Asks the silo to prove which of the client's folders it sees.</summary>
    /// <param name="host">Names the folders from now on.</param>
    /// <param name="tokens">A file in each, which the client wrote for this question.</param>
    /// <param name="files">The kernel and the namespace of files that the client lives in.</param>
    [Alias("Open")]
    [ResponseTimeout("00:00:10")]
    Task<ArrayHost> OpenAsync(Guid host, string[] tokens, string files);

    /// <summary>Offers an array that a run's batches refer to. The host keeps it until the batch that it is offered for has ended, and until the loop or the run ends if its room is not wanted.</summary>
    /// <exception cref="JoblibException">There is no room for it, or the blob storage does not give it.</exception>
    [Alias("Offer")]
    [ResponseTimeout("00:00:15")]
    Task<ArrayAnswer> OfferAsync(Guid run, ArraySession session, ArrayOffer offer);

    /// <summary>Takes in a part of an array that was <see cref="ArrayAnswer.Wanted"/>; parts may come in any order and twice. With the last one it is verified.</summary>
    /// <returns>Whether the silo takes more parts of it; if not, it is whole or was given up: offer it again.</returns>
    /// <exception cref="JoblibException">There is no room, or the array is not what was announced.</exception>
    [Alias("Put")]
    [ResponseTimeout("00:00:15")]
    Task<bool> PutAsync(ArrayChunk chunk);

    /// <summary>A loop of the run has ended: nothing refers to its arrays any more.</summary>
    [Alias("End")]
    Task EndAsync(Guid run, Guid session);

    /// <summary>Reads a part of a large result.</summary>
    /// <param name="run">The run.</param>
    /// <param name="batch">The batch's handle.</param>
    /// <param name="path">The array, as <see cref="ArrayResult.Path"/> has it.</param>
    /// <param name="offset">Where the part begins.</param>
    /// <param name="bytes">How long it is; 1 to <see cref="ArrayChunk.MostBytes"/>.</param>
    /// <exception cref="JoblibException">It is not there any more.</exception>
    [Alias("Read")]
    [ResponseTimeout("00:00:15")]
    Task<byte[]> ReadAsync(Guid run, long batch, string path, long offset, int bytes);

    /// <summary>The client has the large results of these batches.</summary>
    [Alias("Taken")]
    Task TakenAsync(Guid run, long[] batches);
}
