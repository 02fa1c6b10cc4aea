using System.Text;

namespace RpOrleans.Gateway.Http;

/// <summary>The three texts that the original answered with, kept to the letter.</summary>
internal static class PlainText
{
    public static readonly byte[] Home = Encoding.ASCII.GetBytes("Proxy server running.");
    public static readonly byte[] KeyNotFound = Encoding.ASCII.GetBytes("key was not found");
    public static readonly byte[] UnknownResource = Encoding.ASCII.GetBytes("Resource not found");

    /// <summary>Answers with a text.</summary>
    public static Task WriteAsync(HttpContext context, int status, byte[] text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = ValueFormats.Text;
        context.Response.ContentLength = text.Length;
        return context.Request.Method == HttpMethods.Head ? Task.CompletedTask : context.Response.Body.WriteAsync(text, 0, text.Length);
    }
}
